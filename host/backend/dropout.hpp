// Dropout: which values of a layer's output a step leaves out (Srivastava et al., 2014). Masks are a function
// of seed, layer, step and element index, so every device has the same, and so has a run that was resumed.
#pragma once

#include <array>
#include <cstdint>

#include "host/backend/philox.hpp"

namespace warpfit {

struct DropoutMask {
  float p = 0;  ///< share that is left out, below 1
  std::uint64_t seed = 0;
  std::uint32_t layer = 0;

  /// What the values that stay are multiplied by, so that the mean stays too.
  [[nodiscard]] constexpr float scale() const { return 1.0F / (1.0F - p); }

  /// The factors of values 4 * quad to 4 * quad + 3 of the layer's output, counted row by row: 0 or scale().
  [[nodiscard]] constexpr std::array<float, 4> factors(std::int64_t step, std::int64_t quad) const {
    const auto draws = philox(counter(step, quad), seed);
    std::array<float, 4> factors{};
    for (int i = 0; i < 4; ++i) factors[i] = factor(draws[i]);
    return factors;
  }

  /// The counter of the Philox generator for those factors; its key is the seed.
  [[nodiscard]] constexpr std::array<std::uint32_t, 4> counter(std::int64_t step, std::int64_t quad) const {
    const auto number = static_cast<std::uint64_t>(step);
    return {static_cast<std::uint32_t>(quad), layer, static_cast<std::uint32_t>(number),
            static_cast<std::uint32_t>(number >> 32)};
  }

  /// The factor that a random word gives.
  [[nodiscard]] constexpr float factor(std::uint32_t word) const {
    return word < static_cast<std::uint32_t>(double{p} * 4294967296.0) ? 0.0F : scale();
  }
};

}  // namespace warpfit
