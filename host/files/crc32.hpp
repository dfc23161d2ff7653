// CRC-32 as in zlib, gzip and zip: it detects every single flipped bit.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace warpfit {

/// CRC-32 of `bytes` appended to data whose CRC-32 is `before`.
inline std::uint32_t crc32_of(std::span<const std::byte> bytes, std::uint32_t before = 0) {
  // Without this, zlib would start again if `data()` is null.
  if (bytes.empty()) return before;
  return static_cast<std::uint32_t>(
      crc32_z(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

}  // namespace warpfit
