#include "host/base/torch_random.hpp"

#include <cmath>
#include <numeric>
#include <utility>

namespace warpfit {

std::int64_t TorchGenerator::draw64() {
  const std::uint64_t high = draw32();
  const std::uint64_t low = draw32();
  return static_cast<std::int64_t>(((high << 32) | low) % (std::uint64_t{1} << 63));
}

void TorchGenerator::fill_uniform(std::span<float> values, float low, float high) {
  constexpr float kUnit = 1.0F / (1U << 24);  // PyTorch uses the low 24 bits, the precision of a float
  const float range = high - low;
  for (float& value : values) {
    // Rounds once: PyTorch's kernel is compiled to a fused multiply-add, and rounding twice would change half
    // of the values.
    value = std::fma(static_cast<float>(draw32() & 0xFFFFFFU) * kUnit, range, low);
  }
}

std::vector<std::uint32_t> random_permutation(std::uint32_t size, TorchGenerator& generator) {
  std::vector<std::uint32_t> order(size);
  std::iota(order.begin(), order.end(), 0U);
  for (std::uint32_t i = 0; i + 1 < size; ++i) {
    std::swap(order[i], order[i + generator.draw32() % (size - i)]);
  }
  return order;
}

}  // namespace warpfit
