// Random numbers that are a function of a counter: the same on every device, in any order. Philox4x32-10 of
// Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011).
#pragma once

#include <array>
#include <cstdint>

namespace warpfit {

/// The rounds of Philox4x32-10: mix() performs one round on the four words of a counter, and advance()
/// computes the key of the next round.
class Philox {
 public:
  static constexpr int kRounds = 10;

  constexpr explicit Philox(std::uint64_t key)
      : key0_(static_cast<std::uint32_t>(key)), key1_(static_cast<std::uint32_t>(key >> 32)) {}

  constexpr void mix(std::uint32_t& a, std::uint32_t& b, std::uint32_t& c, std::uint32_t& d) const {
    const std::uint64_t first = std::uint64_t{0xD2511F53} * a;
    const std::uint64_t second = std::uint64_t{0xCD9E8D57} * c;
    a = static_cast<std::uint32_t>(second >> 32) ^ b ^ key0_;
    c = static_cast<std::uint32_t>(first >> 32) ^ d ^ key1_;
    b = static_cast<std::uint32_t>(second);
    d = static_cast<std::uint32_t>(first);
  }
  constexpr void advance() {
    key0_ += 0x9E3779B9;
    key1_ += 0xBB67AE85;
  }

 private:
  std::uint32_t key0_, key1_;
};

/// Four random words; two counters have equal words under one key only by chance.
constexpr std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::uint64_t key) {
  Philox rounds(key);
  for (int round = 0; round < Philox::kRounds; ++round, rounds.advance()) {
    rounds.mix(counter[0], counter[1], counter[2], counter[3]);
  }
  return counter;
}

}  // namespace warpfit
