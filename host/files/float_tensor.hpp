// Tensors of floating-point numbers of any width, read as float32.
#pragma once

#include <span>

#include "host/files/safetensors_file.hpp"

namespace warpfit {

/// Whether the elements are F16, BF16, F32 or F64.
bool is_floating_point(DType dtype);

/// Fills `out` with the elements, of which there are as many, rounded to nearest if they are F64; beyond the
/// range of float32 they become infinite. Errors: IoError; InternalError for other types and sizes.
void read_floats(const SafetensorsFile& file, const StoredTensor& tensor, std::span<float> out);

}  // namespace warpfit
