// Dropout (Srivastava et al., 2014): the mask of a layer's output. The mask is a function of seed, layer,
// step and element index, so that all devices and resumed runs use the same masks.
#pragma once

#include <array>
#include <cstdint>

#include "host/backend/philox.hpp"

namespace warpfit {

struct DropoutMask {
  float p = 0;  ///< probability that a value is set to 0, below 1
  std::uint64_t seed = 0;
  std::uint32_t layer = 0;

  /// The factor for the values that are kept, which preserves the expected value.
  [[nodiscard]] constexpr float scale() const { return 1.0F / (1.0F - p); }

  /// The factors for values 4 * quad to 4 * quad + 3 of the layer's output, in row-major order: 0 or scale().
  [[nodiscard]] constexpr std::array<float, 4> multipliers(std::int64_t step, std::int64_t quad) const {
    const auto draws = philox(counter(step, quad), seed);
    std::array<float, 4> result{};
    for (int i = 0; i < 4; ++i) result[i] = multiplier(draws[i]);
    return result;
  }

  /// The counter of the Philox generator for these factors; its key is the seed.
  [[nodiscard]] constexpr std::array<std::uint32_t, 4> counter(std::int64_t step, std::int64_t quad) const {
    const auto number = static_cast<std::uint64_t>(step);
    return {static_cast<std::uint32_t>(quad), layer, static_cast<std::uint32_t>(number),
            static_cast<std::uint32_t>(number >> 32)};
  }

  /// The factor that a random word selects.
  [[nodiscard]] constexpr float multiplier(std::uint32_t word) const {
    return word < static_cast<std::uint32_t>(double{p} * 4294967296.0) ? 0.0F : scale();
  }
};

}  // namespace warpfit
