// Tensors as stored in files: little-endian elements in row-major order.
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

/// The name in safetensors files: "F32".
std::string_view dtype_name(DType dtype);
/// The name in NumPy's files: "<f4"; empty if NumPy has no such type.
std::string_view numpy_name(DType dtype);
/// Bytes per element.
std::uint64_t dtype_size(DType dtype);
/// The type with this safetensors name, or nothing.
std::optional<DType> dtype_of(std::string_view name);

/// Size of such a tensor in bytes; nothing if a dimension is negative, or if the product of the nonzero
/// dimensions would be 2^63 bytes or more.
std::optional<std::uint64_t> tensor_size(DType dtype, std::span<const std::int64_t> shape);

/// A tensor to be written; it does not own the data.
struct TensorView {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;
};

/// Errors: InternalError naming the file that the tensors are for if data does not match its shape, or if two
/// tensors have the same name.
void check_tensors(std::span<const TensorView> tensors, const std::string& path);

}  // namespace warpfit
