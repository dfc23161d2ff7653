// NumPy's .npz format: a zip archive (PKWARE's APPNOTE.TXT) with an uncompressed .npy file for each tensor
// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
#pragma once

#include <span>
#include <string>

#include "host/files/tensor.hpp"

namespace warpfit {

/// Replaces the file at `path`, completely or not at all. The same tensors always result in the same bytes.
/// Errors: IoError; ModelError if NumPy does not support a type, if a name would leave the folder that the
/// archive is unpacked in, or if the file would exceed the 4 GB of a zip file without zip64; InternalError if
/// the size of a tensor's data does not match its shape or names are not unique.
void write_npz(const std::string& path, std::span<const TensorView> tensors);

}  // namespace warpfit
