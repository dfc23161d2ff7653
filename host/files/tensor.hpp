// Tensors as files hold them: little-endian elements in row-major order.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace warpfit {

static_assert(std::endian::native == std::endian::little, "tensors are written as they lie in memory");

enum class DType : std::uint8_t {
  kBool,
  kU8,
  kI8,
  kF8E5M2,
  kF8E4M3,
  kU16,
  kI16,
  kF16,
  kBF16,
  kU32,
  kI32,
  kF32,
  kU64,
  kI64,
  kF64,
  kC64
};

/// As safetensors spells it: "F32".
std::string_view dtype_name(DType dtype);
/// As NumPy's files spell it: "<f4"; empty where NumPy has no such type.
std::string_view numpy_name(DType dtype);
/// Bytes of an element.
std::uint64_t dtype_size(DType dtype);
/// The type of this safetensors name, or nothing.
std::optional<DType> dtype_of(std::string_view name);

/// Bytes of such a tensor; nothing where a dimension is negative, or those that are not 0 multiply to 2^63
/// bytes or more.
std::optional<std::uint64_t> tensor_size(DType dtype, std::span<const std::int64_t> shape);

/// A tensor to be written; the data belongs to somebody else.
struct TensorView {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;
};

/// Errors: InternalError naming the file they are for, where data does not fit its shape, or two share a
/// name.
void check_tensors(std::span<const TensorView> tensors, const std::string& path);

}  // namespace warpfit
