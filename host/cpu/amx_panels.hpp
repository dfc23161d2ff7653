// Panels of lines for AmxProduct: their bf16 parts in the layout that the tile instructions read, and the
// product of two panels. For x86-64 only. Sanitizers check neither tile loads and stores nor, with GCC,
// masked loads.
#pragma once

#ifdef __clang__
#include <immintrin.h>
#else  // GCC 12 warns about its own header (bug 105593)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif

#include <algorithm>
#include <cstdint>

#include "host/cpu/amx_product.hpp"

namespace warpfit::cpu::amx {

constexpr std::int64_t kTile = 16;       // rows of a tile register, and columns of one that holds sums
constexpr std::int64_t kTileDepth = 32;  // bf16 values in a row of a tile register
constexpr std::int64_t kTileSize = kTile * kTileDepth;
constexpr int kParts = 3;

// A panel contains 32 lines in steps of 32 elements. Each step contains two tiles for each part: one of the
// first 16 lines and one of the others. For the first operand, a row of a tile is a line. For the second
// operand, the instruction requires pairs of elements (the VNNI layout): a row contains the same two elements
// of each of the 16 lines.
constexpr std::int64_t kPanel = 2 * kTile;
constexpr std::int64_t kPartSize = 2 * kTileSize;
constexpr std::int64_t kStepSize = kParts * kPartSize;

#define WARPFIT_AMX __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,amx-tile,amx-bf16")))

// What _tile_loadconfig reads: eight registers of 16 rows of 64 bytes.
struct alignas(64) TileConfiguration {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// The first `count` of 16 values, from 0 to all.
constexpr __mmask16 first_of_16(std::int64_t count) {
  return static_cast<__mmask16>((1U << std::clamp<std::int64_t>(count, 0, 16)) - 1);
}

WARPFIT_AMX inline __m512i low_half(__m512i values) {
  return _mm512_cvtepu16_epi32(_mm512_castsi512_si256(values));
}
WARPFIT_AMX inline __m512i high_half(__m512i values) {
  return _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(values, 1));
}
WARPFIT_AMX inline __m512 to_floats(__m512i bf16) { return _mm512_castsi512_ps(_mm512_slli_epi32(bf16, 16)); }

// Rounds both to bf16 and subtracts the results, which is exact.
WARPFIT_AMX inline __m512i next_part(__m512& low, __m512& high) {
  const auto part = (__m512i)_mm512_cvtne2ps_pbh(high, low);
  low = _mm512_sub_ps(low, to_floats(low_half(part)));
  high = _mm512_sub_ps(high, to_floats(high_half(part)));
  return part;
}

WARPFIT_AMX inline __m512i as_pairs(__m512i values) {
  return _mm512_or_si512(low_half(values), _mm512_slli_epi32(high_half(values), 16));
}

WARPFIT_AMX inline __m512 low_doubles(__m512 a, __m512 b) {
  return _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)));
}
WARPFIT_AMX inline __m512 high_doubles(__m512 a, __m512 b) {
  return _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)));
}

// Transposes 16 rows of 16 32-bit values.
WARPFIT_AMX inline void transpose_tile(__m512i (&rows)[kTile]) {
  constexpr int kEven = 0x88, kOdd = 0xdd;  // of the four quarters of each operand
  __m512 a[kTile], b[kTile];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    const auto first = _mm512_castsi512_ps(rows[i]), second = _mm512_castsi512_ps(rows[i + 1]);
    a[i] = _mm512_unpacklo_ps(first, second);
    a[i + 1] = _mm512_unpackhi_ps(first, second);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    b[i] = low_doubles(a[i], a[i + 2]);
    b[i + 1] = high_doubles(a[i], a[i + 2]);
    b[i + 2] = low_doubles(a[i + 1], a[i + 3]);
    b[i + 3] = high_doubles(a[i + 1], a[i + 3]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    a[i] = _mm512_shuffle_f32x4(b[i], b[i + 4], kEven);
    a[i + 4] = _mm512_shuffle_f32x4(b[i], b[i + 4], kOdd);
    a[i + 8] = _mm512_shuffle_f32x4(b[i + 8], b[i + 12], kEven);
    a[i + 12] = _mm512_shuffle_f32x4(b[i + 8], b[i + 12], kOdd);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    rows[i] = _mm512_castps_si512(_mm512_shuffle_f32x4(a[i], a[i + 8], kEven));
    rows[i + 4] = _mm512_castps_si512(_mm512_shuffle_f32x4(a[i + 4], a[i + 12], kEven));
    rows[i + 8] = _mm512_castps_si512(_mm512_shuffle_f32x4(a[i], a[i + 8], kOdd));
    rows[i + 12] = _mm512_castps_si512(_mm512_shuffle_f32x4(a[i + 4], a[i + 12], kOdd));
  }
}

// The parts of up to 16 lines of up to 32 elements; the rest of the tiles is 0.
template <bool kIsContiguous, bool kIsSecond>
WARPFIT_AMX inline void pack_tiles(const float* data, std::int64_t stride, std::int64_t lines,
                                   std::int64_t depth, std::uint16_t* to) {
  __m512i tiles[kParts][kTile];
  for (std::int64_t row = 0; row < kTile; ++row) {
    __m512 low = _mm512_setzero_ps(), high = low;
    if constexpr (kIsContiguous) {  // 32 elements of a line
      if (row < lines) {
        low = _mm512_maskz_loadu_ps(first_of_16(depth), data + row * stride);
        high = _mm512_maskz_loadu_ps(first_of_16(depth - 16), data + row * stride + 16);
      }
    } else {  // two elements of 16 lines
      const auto k = 2 * row;
      if (k < depth) low = _mm512_maskz_loadu_ps(first_of_16(lines), data + k * stride);
      if (k + 1 < depth) high = _mm512_maskz_loadu_ps(first_of_16(lines), data + (k + 1) * stride);
    }
    for (auto& tile : tiles) {
      const auto part = next_part(low, high);
      tile[row] = kIsContiguous ? part : as_pairs(part);
    }
  }
  for (int part = 0; part < kParts; ++part) {
    if constexpr (kIsContiguous == kIsSecond) transpose_tile(tiles[part]);
    for (std::int64_t row = 0; row < kTile; ++row)
      _mm512_store_si512(to + part * kPartSize + row * kTileDepth, tiles[part][row]);
  }
}

// The panels of lines [first, first + count) and their elements [k, k + depth). Iterates in the order
// in which the operand lies in memory.
template <bool kIsContiguous, bool kIsSecond>
WARPFIT_AMX inline void pack_panels(const ProductLines& lines, std::int64_t first, std::int64_t count,
                                    std::int64_t k, std::int64_t depth, std::uint16_t* to) {
  const auto panels = (count + kPanel - 1) / kPanel, steps = (depth + kTileDepth - 1) / kTileDepth;
  for (std::int64_t i = 0; i < panels * steps; ++i) {
    const auto panel = kIsContiguous ? i / steps : i % panels;
    const auto step = kIsContiguous ? i % steps : i / panels;
    for (std::int64_t half = 0; half < 2; ++half) {
      const auto line = panel * kPanel + half * kTile;
      const auto element = k + step * kTileDepth;
      const auto* data = lines.data;  // without lines, it is not read
      if (line < count)
        data +=
            kIsContiguous ? (first + line) * lines.stride + element : element * lines.stride + first + line;
      pack_tiles<kIsContiguous, kIsSecond>(data, lines.stride, count - line, k + depth - element,
                                           to + (panel * steps + step) * kStepSize + half * kTileSize);
    }
  }
}

template <bool kIsSecond>
WARPFIT_AMX inline void pack(const ProductLines& lines, std::int64_t first, std::int64_t count,
                             std::int64_t k, std::int64_t depth, std::uint16_t* to) {
  if (lines.is_contiguous) {
    pack_panels<true, kIsSecond>(lines, first, count, k, depth, to);
  } else {
    pack_panels<false, kIsSecond>(lines, first, count, k, depth, to);
  }
}

// sums (32, 32) = the product of two panels. The tile registers: 0 to 3 for sums, 4 and 5 for a part of the
// rows, 6 and 7 for a part of the columns.
WARPFIT_AMX inline void multiply_panels(std::int64_t steps, const std::uint16_t* rows,
                                        const std::uint16_t* columns, float* sums) {
  constexpr int kRowBytes = 64;
  const auto load_rows = [](const std::uint16_t* part) WARPFIT_AMX {
    _tile_loadd(4, part, kRowBytes);
    _tile_loadd(5, part + kTileSize, kRowBytes);
  };
  const auto load_columns = [](const std::uint16_t* part) WARPFIT_AMX {
    _tile_loadd(6, part, kRowBytes);
    _tile_loadd(7, part + kTileSize, kRowBytes);
  };
  const auto add_products = []() WARPFIT_AMX {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  };
  // The compiler does not know that tile loads read memory: without the fence, it could pack panels
  // afterwards.
  asm volatile("" ::: "memory");
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (std::int64_t step = 0; step < steps; ++step, rows += kStepSize, columns += kStepSize) {
    load_rows(rows + 2 * kPartSize);
    load_columns(columns);
    add_products();
    load_rows(rows + kPartSize);
    add_products();
    load_columns(columns + kPartSize);
    add_products();
    load_rows(rows);
    add_products();
    load_columns(columns);
    add_products();
    load_columns(columns + 2 * kPartSize);
    add_products();
  }
  constexpr int kSumBytes = kPanel * sizeof(float);
  _tile_stored(0, sums, kSumBytes);
  _tile_stored(1, sums + kTile, kSumBytes);
  _tile_stored(2, sums + kTile * kPanel, kSumBytes);
  _tile_stored(3, sums + kTile * kPanel + kTile, kSumBytes);
}

}  // namespace warpfit::cpu::amx
