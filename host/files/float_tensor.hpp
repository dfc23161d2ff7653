// Tensors of floating-point numbers of any width, read as float32.
#pragma once

#include <span>

#include "host/files/safetensors_file.hpp"

namespace warpfit {

/// Whether the elements are F16, BF16, F32 or F64.
bool is_floating_point(DType dtype);

/// Rounds elements of F16, BF16, F32 or F64 to nearest in float32; those of F64 beyond its range become
/// infinite. `out` has as many.
void convert_to_float(DType dtype, std::span<const std::byte> elements, std::span<float> out);

/// Fills `out` with the elements, of which there are as many, as convert_to_float() has them. Errors:
/// IoError; InternalError for other types and sizes.
void read_floats(const SafetensorsFile& file, const StoredTensor& tensor, std::span<float> out);

}  // namespace warpfit
