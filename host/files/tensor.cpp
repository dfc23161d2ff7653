#include "host/files/tensor.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <set>

#include "host/base/error.hpp"
#include "host/base/shown.hpp"

namespace warpfit {
namespace {

struct Row {
  DType dtype;
  std::string_view name;
  std::string_view numpy;
  std::uint64_t size;
};

constexpr Row kTable[] = {
    {DType::kBool, "BOOL", "|b1", 1},   {DType::kU8, "U8", "|u1", 1},       {DType::kI8, "I8", "|i1", 1},
    {DType::kF8E5M2, "F8_E5M2", "", 1}, {DType::kF8E4M3, "F8_E4M3", "", 1}, {DType::kU16, "U16", "<u2", 2},
    {DType::kI16, "I16", "<i2", 2},     {DType::kF16, "F16", "<f2", 2},     {DType::kBF16, "BF16", "", 2},
    {DType::kU32, "U32", "<u4", 4},     {DType::kI32, "I32", "<i4", 4},     {DType::kF32, "F32", "<f4", 4},
    {DType::kU64, "U64", "<u8", 8},     {DType::kI64, "I64", "<i8", 8},     {DType::kF64, "F64", "<f8", 8},
    {DType::kC64, "C64", "<c8", 8},
};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < std::size(kTable); ++i) {
    if (static_cast<std::size_t>(kTable[i].dtype) != i) return false;
  }
  return true;
}
static_assert(is_in_order());

const Row& row_of(DType dtype) { return kTable[static_cast<std::size_t>(dtype)]; }

}  // namespace

std::string_view dtype_name(DType dtype) { return row_of(dtype).name; }
std::string_view numpy_name(DType dtype) { return row_of(dtype).numpy; }
std::uint64_t dtype_size(DType dtype) { return row_of(dtype).size; }

std::optional<DType> dtype_of(std::string_view name) {
  const auto* const row = std::ranges::find(kTable, name, &Row::name);
  if (row == std::end(kTable)) return std::nullopt;
  return row->dtype;
}

std::optional<std::uint64_t> tensor_size(DType dtype, std::span<const std::int64_t> shape) {
  constexpr std::uint64_t kMaxSize = std::numeric_limits<std::int64_t>::max();
  std::uint64_t size = dtype_size(dtype);
  bool is_empty = false;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) return std::nullopt;
    is_empty = is_empty || dimension == 0;
    const auto factor = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(dimension));
    if (size > kMaxSize / factor) return std::nullopt;
    size *= factor;
  }
  return is_empty ? 0 : size;
}

void check_tensors(std::span<const TensorView> tensors, const std::string& path) {
  std::set<std::string_view> names;
  for (const auto& tensor : tensors) {
    if (!names.insert(tensor.name).second) {
      throw InternalError(
          fmt::format("{}: cannot write two tensors with the name '{}'", path, shown(tensor.name)));
    }
    if (tensor_size(tensor.dtype, tensor.shape) != tensor.data.size()) {
      throw InternalError(fmt::format(
          "{}: cannot write tensor '{}': {} bytes of data, expected {} elements of {}", path,
          shown(tensor.name), tensor.data.size(), fmt::join(tensor.shape, "x"), dtype_name(tensor.dtype)));
    }
  }
}

}  // namespace warpfit
