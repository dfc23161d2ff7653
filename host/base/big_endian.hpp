// Big-endian numbers, as in IDX files.
#pragma once

#include <cstdint>
#include <span>

namespace warpfit {

/// The number that at most four bytes represent.
constexpr std::uint32_t big_endian(std::span<const std::uint8_t> bytes) {
  std::uint32_t value = 0;
  for (const auto byte : bytes) value = value << 8 | byte;
  return value;
}

}  // namespace warpfit
