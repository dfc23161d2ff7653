// Writes safetensors files, with a checksum of their own: see safetensors_header.hpp.
#pragma once

#include <span>
#include <string>

#include "host/files/folder.hpp"
#include "host/files/safetensors_header.hpp"
#include "host/files/tensor.hpp"

namespace warpfit {

/// Replaces the file at `location`, whole or not at all. The data begins at a multiple of 8 bytes and follows
/// the order of `tensors`, without gaps; `warpfit.crc32` is added to the metadata. Errors: IoError;
/// ModelError where a text is no UTF-8, or there are too many tensors; InternalError where a tensor's data
/// does not fit its shape or names are not unique.
void write_safetensors(const FileLocation& location, const Metadata& metadata,
                       std::span<const TensorView> tensors);

}  // namespace warpfit
