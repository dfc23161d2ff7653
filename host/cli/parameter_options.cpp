#include "host/cli/parameter_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

constexpr std::string_view kOptimizerGroup = "Optimizer";

// The items between commas; none if the text is empty.
std::vector<std::string> items_of(std::string_view text) {
  std::vector<std::string> items;
  for (std::size_t begin = 0; !text.empty() && begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    items.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return items;
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

}  // namespace warpfit
