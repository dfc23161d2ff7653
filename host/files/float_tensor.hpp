// Floating-point tensors of any width, read as float32.
#pragma once

#include <span>

#include "host/files/safetensors_file.hpp"

namespace warpfit {

/// Whether the elements are F16, BF16, F32 or F64.
bool is_floating_point(DType dtype);

/// Rounds elements of type F16, BF16, F32 or F64 to the nearest float32; F64 values beyond its range become
/// infinite. `out` must have as many elements.
void convert_to_float(DType dtype, std::span<const std::byte> elements, std::span<float> out);

/// Fills `out` with the tensor's elements, converted by convert_to_float(); the number of elements must
/// match. Errors: IoError; InternalError for other types and sizes.
void read_floats(const SafetensorsFile& file, const StoredTensor& tensor, std::span<float> out);

}  // namespace warpfit
