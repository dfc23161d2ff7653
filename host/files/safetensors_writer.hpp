// Writes safetensors files with warpfit's checksum: see safetensors_header.hpp.
#pragma once

#include <span>
#include <string>

#include "host/files/folder.hpp"
#include "host/files/safetensors_header.hpp"
#include "host/files/tensor.hpp"

namespace warpfit {

/// Replaces the file at `location`, completely or not at all. The data starts at a multiple of 8 bytes and is
/// in the order of `tensors`, without gaps; `warpfit.crc32` is added to the metadata. Errors: IoError;
/// ModelError if a text is not UTF-8, or there are too many tensors; InternalError if the size of a tensor's
/// data does not match its shape or names are not unique.
void write_safetensors(const FileLocation& location, const Metadata& metadata,
                       std::span<const TensorView> tensors);

}  // namespace warpfit
