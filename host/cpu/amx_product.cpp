#include "host/cpu/amx_product.hpp"

#include <dnnl.h>

#include <algorithm>

#include "host/base/error.hpp"
#include "host/cpu/huge_pages.hpp"

#ifdef __x86_64__
#include <sys/syscall.h>
#include <unistd.h>

#include "host/cpu/amx_panels.hpp"
#endif

namespace warpfit::cpu {
namespace {

constexpr std::int64_t kPanelLines = 32;

// Blocks of this many elements, rows and columns are multiplied at once: the parts of the rows, 1.5 MiB, and
// those of the columns, 0.4 MiB, stay in the cache of a core.
constexpr std::int64_t kMaxBlockDepth = 512;
constexpr std::int64_t kMaxBlockRows = 512;

constexpr std::int64_t block_count(std::int64_t size, std::int64_t max_size) {
  return (size + max_size - 1) / max_size;
}
constexpr std::int64_t in_panels(std::int64_t size) { return block_count(size, kPanelLines) * kPanelLines; }

}  // namespace

bool AmxProduct::is_available() {
#ifdef __x86_64__
  // An instruction set contains the bits of those that it extends.
  static const bool is_there = [] {
    constexpr auto kSet = static_cast<unsigned>(dnnl_cpu_isa_avx512_core_amx);
    if ((static_cast<unsigned>(dnnl_get_effective_cpu_isa()) & kSet) != kSet) return false;
    // A process must ask Linux for the permission to use the tile registers.
    constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM; headers of Linux before 5.16 lack it
    constexpr long kTileData = 18;
    return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  }();
  return is_there;
#else
  return false;
#endif
}

// Times in nanoseconds, measured on an Intel Xeon with oneDNN 2.6.3.
bool AmxProduct::is_faster(std::int64_t rows, std::int64_t cols, std::int64_t depth) {
  constexpr double kPackElement = 0.35;
  constexpr double kStoreElement = 0.05;
  constexpr double kAmxProduct = 2.0 / 320, kFp32Product = 2.0 / 165;
  constexpr double kMargin = 0.9;
  const auto m = static_cast<double>(in_panels(rows)), n = static_cast<double>(in_panels(cols));
  const auto k = static_cast<double>(in_panels(depth));
  const auto row_blocks = static_cast<double>(block_count(rows, kMaxBlockRows));
  const auto depth_blocks = static_cast<double>(block_count(depth, kMaxBlockDepth));
  const double amx = m * n * k * kAmxProduct + (m + n * row_blocks) * k * kPackElement +
                     m * n * depth_blocks * kStoreElement;
  const double fp32 =
      static_cast<double>(rows) * static_cast<double>(cols) * static_cast<double>(depth) * kFp32Product;
  return amx < kMargin * fp32;
}

#ifdef __x86_64__

namespace {

static_assert(kPanelLines == amx::kPanel && amx::kPanel == amx::kTileDepth);

constexpr std::int64_t kMaxBlockColumns = 128;

/// The size of blocks of about equal size, a multiple of 32 and at most `max_size`.
constexpr std::int64_t block_size(std::int64_t size, std::int64_t max_size) {
  return in_panels(block_count(size, block_count(size, max_size)));
}

constexpr std::int64_t kStepsSize = kMaxBlockDepth / amx::kTileDepth * amx::kStepSize;  // of a panel
constexpr std::int64_t kRowsSize = kMaxBlockRows / amx::kPanel * kStepsSize;
constexpr std::int64_t kColumnsSize = kMaxBlockColumns / amx::kPanel * kStepsSize;

WARPFIT_AMX void store_sums(const float* sums, const ProductResult& to) {
  const auto scale = _mm512_set1_ps(to.scale), keep = _mm512_set1_ps(to.keep);
  for (std::int64_t column = 0; column < to.c.cols; column += amx::kTile) {
    const auto mask = amx::first_of_16(to.c.cols - column);
    const auto bias =
        to.bias == nullptr ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(mask, to.bias + column);
    for (std::int64_t row = 0; row < to.c.rows; ++row) {
      float* c = to.c.data + row * to.c.stride + column;
      auto value = _mm512_mul_ps(scale, _mm512_load_ps(sums + row * amx::kPanel + column));
      if (to.keep != 0) value = _mm512_add_ps(value, _mm512_mul_ps(keep, _mm512_maskz_loadu_ps(mask, c)));
      if (to.bias != nullptr) value = _mm512_add_ps(value, bias);
      _mm512_mask_storeu_ps(c, mask, value);
    }
  }
}

// A tile of the result. Products of the first elements replace it, and those of the others are added.
ProductResult tile_of(const ProductResult& result, const Tile& tile, bool is_first) {
  ProductResult to = result;
  to.c = {result.c.data + tile.row * result.c.stride + tile.column, tile.rows, tile.columns, result.c.stride};
  to.keep = is_first ? result.keep : 1;
  to.bias = is_first && result.bias != nullptr ? result.bias + tile.column : nullptr;
  return to;
}

}  // namespace

WARPFIT_AMX void AmxProduct::run(const ProductLines& rows, const ProductLines& cols, std::int64_t depth,
                                 const ProductResult& result,
                                 const std::function<void(const Tile&)>& finish) {
  if (!packed_) {
    constexpr auto kBytes = (kRowsSize + kColumnsSize) * sizeof(std::uint16_t);
    packed_.reset(static_cast<std::uint16_t*>(allocate_in_huge_pages(kBytes)));
    if (!packed_) throw OutOfMemory("allocating 2 MiB for matrix products: out of memory");
  }
  static constexpr amx::TileConfiguration kConfiguration;
  _tile_loadconfig(&kConfiguration);
  const Job job{rows, cols, depth, result, finish};
  const auto max_rows = block_size(result.c.rows, kMaxBlockRows),
             max_depth = block_size(depth, kMaxBlockDepth);
  for (std::int64_t row = 0; row < result.c.rows; row += max_rows) {
    for (std::int64_t k = 0; k < depth; k += max_depth)
      add_products(job, row, std::min(max_rows, result.c.rows - row), k, std::min(max_depth, depth - k));
  }
  _tile_release();
}

// Adds the products of elements [k, k + depth) for rows [row, row + rows).
WARPFIT_AMX void AmxProduct::add_products(const Job& job, std::int64_t row, std::int64_t rows, std::int64_t k,
                                          std::int64_t depth) {
  auto* const packed_rows = packed_.get();
  auto* const packed_columns = packed_rows + kRowsSize;
  const auto steps = block_count(depth, amx::kTileDepth);
  const auto panel_size = steps * amx::kStepSize;
  amx::pack<false>(job.rows, row, rows, k, depth, packed_rows);
  for (std::int64_t column = 0; column < job.result.c.cols; column += kMaxBlockColumns) {
    const auto columns = std::min(kMaxBlockColumns, job.result.c.cols - column);
    amx::pack<true>(job.cols, column, columns, k, depth, packed_columns);
    for (std::int64_t i = 0; i < rows; i += amx::kPanel) {
      for (std::int64_t j = 0; j < columns; j += amx::kPanel) {
        alignas(64) float sums[amx::kPanel * amx::kPanel];
        amx::multiply_panels(steps, packed_rows + i / amx::kPanel * panel_size,
                             packed_columns + j / amx::kPanel * panel_size, sums);
        const Tile tile{row + i, std::min(amx::kPanel, rows - i), column + j,
                        std::min(amx::kPanel, columns - j)};
        store_sums(sums, tile_of(job.result, tile, k == 0));
        if (k + depth == job.depth && job.finish) job.finish(tile);
      }
    }
  }
}

#else

void AmxProduct::run(const ProductLines&, const ProductLines&, std::int64_t, const ProductResult&,
                     const std::function<void(const Tile&)>&) {
  throw InternalError("products with AMX on a processor without it");
}

#endif

}  // namespace warpfit::cpu
