// An exp that compilers can vectorize in loops; the function of the standard library handles one number per
// call.
#pragma once

#include <bit>
#include <cstdint>

namespace warpfit::cpu {

/// exp(x) for x <= 0, with an error of at most one unit in the last place; 0 below -87, where results would
/// be subnormal; NaN for NaN. The argument is reduced to [-ln 2 / 2, ln 2 / 2] with ln 2 split into two
/// parts; the polynomial is that of expf in the Cephes library.
inline float exponential(float x) {
  constexpr float kLowest = -87.0F;
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLn2High = 0.693359375F;
  constexpr float kLn2Low = -2.12194440e-4F;
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: a number added to it is rounded to an integer
  const float in_range = x < kLowest ? kLowest : x;
  const float rounded = in_range * kLog2E + kRound;
  const float power = rounded - kRound;
  const float r = in_range - power * kLn2High - power * kLn2Low;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * (r * r) + r + 1.0F;
  constexpr std::uint32_t kBias = 127;
  const float scale = std::bit_cast<float>((std::bit_cast<std::uint32_t>(rounded) + kBias) << 23U);
  return x < kLowest ? 0.0F : p * scale;
}

}  // namespace warpfit::cpu
