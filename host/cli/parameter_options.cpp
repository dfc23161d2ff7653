#include "host/cli/parameter_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "host/base/error.hpp"
#include "host/base/parse_number.hpp"
#include "host/base/split.hpp"

namespace warpfit {
namespace {

constexpr std::string_view kOptimizerGroup = "Optimizer";

// The items between commas; none if the text is empty.
std::vector<std::string> items_of(std::string_view text) {
  if (text.empty()) return {};
  const auto parts = split(text, ',');
  return {parts.begin(), parts.end()};
}

}  // namespace

Option freeze_option(std::vector<std::string>& patterns) {
  constexpr std::string_view kFlag = "--freeze";
  const auto set = [&patterns, kFlag](std::string_view given) {
    auto items = items_of(given);
    if (std::ranges::any_of(items, &std::string::empty)) {
      throw UsageError(fmt::format(
          "{} {}: expected names or patterns separated by commas, as in 0.weight,*.bias", kFlag, given));
    }
    patterns = std::move(items);
  };
  return {.group = kOptimizerGroup,
          .flag = kFlag,
          .value = "PATTERN,...",
          .help =
              "do not train the parameters whose names match, such as 0.weight or *.bias; * and ? are "
              "wildcards",
          .get = [&patterns] { return fmt::format("{}", fmt::join(patterns, ",")); },
          .set = set};
}

Option rate_factor_option(std::vector<RateFactor>& factors) {
  constexpr std::string_view kFlag = "--lr-factor";
  const auto set = [&factors, kFlag](std::string_view given) {
    std::vector<RateFactor> read;
    for (const auto& item : items_of(given)) {
      const auto equals = std::min(item.rfind('='), item.size());
      const auto factor = parse_number<float>(equals < item.size() ? item.substr(equals + 1) : "");
      if (equals == 0 || !factor || !std::isfinite(*factor) || *factor < 0) {
        throw UsageError(
            fmt::format("{} {}: expected patterns with factors of 0 or more, separated by commas, as in "
                        "*.bias=64,0.*=0.1",
                        kFlag, given));
      }
      read.push_back({item.substr(0, equals), *factor});
    }
    factors = std::move(read);
  };
  const auto get = [&factors] {
    std::string text;
    for (const auto& [pattern, factor] : factors)
      text += fmt::format("{}{}={}", text.empty() ? "" : ",", pattern, factor);
    return text;
  };
  return {.group = kOptimizerGroup,
          .flag = kFlag,
          .value = "PATTERN=X,...",
          .help =
              "multiply the learning rate of the parameters whose names match by X, as in *.bias=64; the "
              "first pattern that matches applies",
          .range = "0 or more each",
          .get = get,
          .set = set};
}

}  // namespace warpfit
