#include "host/model/network_spec.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "host/base/error.hpp"
#include "host/base/parse_number.hpp"
#include "host/base/shown.hpp"

namespace warpfit {
namespace {

constexpr std::int64_t kWidest = std::int64_t{1} << 24;
constexpr std::int64_t kMostParameters = std::int64_t{1} << 40;

}  // namespace

std::int64_t NetworkSpec::parameters() const {
  std::int64_t total = 0;
  for (std::size_t i = 0; i < layers(); ++i) total += (widths[i] + 1) * widths[i + 1];
  return total;
}

std::string NetworkSpec::text() const { return fmt::format("{}", fmt::join(widths, "-")); }

NetworkSpec parse_network(std::string_view text) {
  NetworkSpec spec;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('-', start), text.size());
    const auto part = text.substr(start, end - start);
    const auto width = parse_number<std::int64_t>(part);
    if (!width || *width < 1 || *width > kWidest) {
      throw UsageError(fmt::format("--network {}: width {} is '{}', expected a number from 1 to {}",
                                   shown(text), spec.widths.size() + 1, shown(part), kWidest));
    }
    spec.widths.push_back(*width);
    start = end + 1;
  }
  if (spec.widths.size() < 2) {
    throw UsageError(
        fmt::format("--network {}: expected at least two widths, as in 784-512-512-10", shown(text)));
  }
  if (spec.classes() < 2)
    throw UsageError(fmt::format("--network {}: expected at least 2 outputs", shown(text)));
  // At most 2^24 * 2^24 a layer: no sum of a command line's length overflows.
  if (spec.parameters() > kMostParameters) {
    throw UsageError(fmt::format("--network {}: more than {} parameters", shown(text), kMostParameters));
  }
  return spec;
}

NetworkSpec default_network(std::int64_t inputs, std::int64_t classes) {
  constexpr std::int64_t kHidden = 512;
  return {{inputs, kHidden, kHidden, classes}};
}

}  // namespace warpfit
