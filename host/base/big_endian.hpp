// Numbers whose first byte is the highest, as in IDX files.
#pragma once

#include <cstdint>
#include <span>

namespace warpfit {

/// Of at most four bytes.
constexpr std::uint32_t big_endian(std::span<const std::uint8_t> bytes) {
  std::uint32_t value = 0;
  for (const auto byte : bytes) value = value << 8 | byte;
  return value;
}

}  // namespace warpfit
