// NumPy's .npz: a zip (PKWARE's APPNOTE.TXT) with an uncompressed .npy file for each tensor
// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
#pragma once

#include <span>
#include <string>

#include "host/files/tensor.hpp"

namespace warpfit {

/// Replaces the file at `path`, whole or not at all. The same tensors give the same bytes.
/// Errors: IoError; ModelError where NumPy has no such type, a name would leave the folder that it is
/// unpacked in, or the file would grow beyond the 4 GB of a plain zip; InternalError where a tensor's data
/// does not fit its shape or names are not unique.
void write_npz(const std::string& path, std::span<const TensorView> tensors);

}  // namespace warpfit
