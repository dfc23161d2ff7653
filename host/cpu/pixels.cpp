#include "host/cpu/pixels.hpp"

#include "host/cpu/simd.hpp"

namespace warpfit::cpu {

void pixels_to_float(std::span<const std::uint8_t> pixels, Vector x) {
  const auto size = static_cast<std::int64_t>(pixels.size());
  const std::uint8_t* from = pixels.data();
  float* to = x.data();
  vectorized([=] {
  // A true division: multiplying by 1/255 rounds 126 of the 256 values differently.
#pragma omp simd
    for (std::int64_t i = 0; i < size; ++i) to[i] = static_cast<float>(from[i]) / 255.0F;
  });
}

}  // namespace warpfit::cpu
