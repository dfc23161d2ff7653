// "Did you mean": the known word nearest to one that is not known.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace warpfit {

/// The word of `known` with the fewest insertions, deletions and replacements from `word`, or "" where even
/// that one is too far off to be meant.
std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

}  // namespace warpfit
