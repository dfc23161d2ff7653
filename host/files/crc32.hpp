// CRC-32 as zlib, gzip and zip compute it: it finds every single flipped bit.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace warpfit {

/// Of `bytes`, which follow others whose CRC is `before`.
inline std::uint32_t crc32_of(std::span<const std::byte> bytes, std::uint32_t before = 0) {
  // Without this zlib starts again where `data()` is null.
  if (bytes.empty()) return before;
  return static_cast<std::uint32_t>(
      crc32_z(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

}  // namespace warpfit
