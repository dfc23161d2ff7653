// Whether numbers are finite: neither infinite nor NaN.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace warpfit {

/// Whether every value is finite. As fast as memory can be read: the loop has no branch, so that the compiler
/// vectorizes it.
inline bool all_finite(std::span<const float> values) {
  constexpr std::uint32_t kExponent = 0x7F800000;  // all of these bits are 1 in infinities and NaN
  std::uint32_t found = 0;
  for (const float value : values) {
    found |= static_cast<std::uint32_t>((std::bit_cast<std::uint32_t>(value) & kExponent) == kExponent);
  }
  return found == 0;
}

}  // namespace warpfit
