// "Did you mean": finds the known word nearest to an unknown one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace warpfit {

/// The word of `known` with the fewest insertions, deletions and replacements from `word`, or "" if even that
/// one is too different.
std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

}  // namespace warpfit
