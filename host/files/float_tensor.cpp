#include "host/files/float_tensor.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

template <class Bits>
Bits element(std::span<const std::byte> bytes, std::size_t i) {
  Bits bits;
  std::memcpy(&bits, bytes.data() + i * sizeof bits, sizeof bits);
  return bits;
}

// IEEE 754 binary16: 1 sign bit, 5 exponent bits, 10 fraction bits.
float from_half(std::uint16_t bits) {
  constexpr int kFractionBits = 10, kBias = 15, kInfinity = 31;
  const int exponent = bits >> kFractionBits & kInfinity;
  const int fraction = bits & ((1 << kFractionBits) - 1);
  float value = 0;
  if (exponent == kInfinity) {
    value = fraction == 0 ? INFINITY : NAN;
  } else if (exponent == 0) {
    value = std::ldexp(static_cast<float>(fraction), 1 - kBias - kFractionBits);
  } else {
    value = std::ldexp(static_cast<float>(fraction | 1 << kFractionBits), exponent - kBias - kFractionBits);
  }
  return bits >> 15 != 0 ? -value : value;
}

float from_bfloat16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

}  // namespace

bool is_floating_point(DType dtype) {
  return dtype == DType::kF16 || dtype == DType::kBF16 || dtype == DType::kF32 || dtype == DType::kF64;
}

void convert_to_float(DType dtype, std::span<const std::byte> elements, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = dtype == DType::kF16    ? from_half(element<std::uint16_t>(elements, i))
             : dtype == DType::kBF16 ? from_bfloat16(element<std::uint16_t>(elements, i))
             : dtype == DType::kF32  ? element<float>(elements, i)
                                     : static_cast<float>(element<double>(elements, i));
  }
}

void read_floats(const SafetensorsFile& file, const StoredTensor& tensor, std::span<float> out) {
  const auto size = dtype_size(tensor.dtype);
  if (!is_floating_point(tensor.dtype) || out.size() * size != tensor.size) {
    throw InternalError(fmt::format("{}: reading tensor '{}' of {} as {} float32", file.path(), tensor.name,
                                    dtype_name(tensor.dtype), out.size()));
  }
  if (tensor.dtype == DType::kF32) {
    file.read(tensor, std::as_writable_bytes(out));
    return;
  }
  constexpr std::size_t kPieceElements = 1 << 17;
  std::vector<std::byte> piece;
  for (std::size_t first = 0; first < out.size(); first += kPieceElements) {
    const auto values = out.subspan(first, std::min(kPieceElements, out.size() - first));
    piece.resize(values.size() * size);
    file.read(tensor, first * size, piece);
    convert_to_float(tensor.dtype, piece, values);
  }
}

}  // namespace warpfit
