// PyTorch's random numbers on the CPU: torch.manual_seed, uniform_ and randperm, with identical results.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace warpfit {

/// PyTorch's default CPU generator (at::CPUGeneratorImpl): mt19937 seeded with the low 32 bits of the seed.
class TorchGenerator {
 public:
  explicit TorchGenerator(std::uint64_t seed) : seed_(seed), engine_(static_cast<std::uint32_t>(seed)) {}
  /// The generator with this seed after `draws` draws of 32 bits.
  TorchGenerator(std::uint64_t seed, std::uint64_t draws) : TorchGenerator(seed) {
    engine_.discard(draws);
    draws_ = draws;
  }

  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  [[nodiscard]] std::uint64_t draws() const { return draws_; }

  std::uint32_t draw32() {
    ++draws_;
    return engine_();
  }

  /// One 64-bit draw in [0, 2^63), as Tensor.random_() computes an int64.
  std::int64_t draw64();

  /// Tensor.uniform_(low, high) for float32: one draw per value, in memory order, in [low, high).
  void fill_uniform(std::span<float> values, float low, float high);

 private:
  std::uint64_t seed_;
  std::uint64_t draws_ = 0;
  std::mt19937 engine_;
};

/// torch.randperm(size) with this generator; sizes up to 2^32 - 1.
std::vector<std::uint32_t> random_permutation(std::uint32_t size, TorchGenerator& generator);

}  // namespace warpfit
