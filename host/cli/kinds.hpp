// Flags that only some values of another flag allow: --momentum is for --optimizer sgd, rmsprop and muon.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "host/base/error.hpp"

namespace warpfit {

template <class Kind>
struct Kinds {
  std::string_view flag;  ///< the flag that selects the kind: "--optimizer"
  std::vector<std::pair<std::string_view, Kind>> words;

  [[nodiscard]] std::string_view name_of(Kind kind) const {
    const auto named = [kind](const auto& entry) { return entry.second == kind; };
    return std::ranges::find_if(words, named)->first;
  }

  /// Errors: UsageError if `flag_of_some` was given, but is not valid for the chosen kind.
  void expect_having(Kind chosen, bool given, std::string_view flag_of_some,
                     const std::vector<Kind>& having) const {
    if (!given || std::ranges::find(having, chosen) != having.end()) return;
    std::vector<std::string_view> names;
    for (const auto kind : having) names.push_back(name_of(kind));
    throw UsageError(fmt::format("{}: {} {} has no such setting; it is for {}", flag_of_some, flag,
                                 name_of(chosen), fmt::join(names, ", ")));
  }
};

}  // namespace warpfit
