// What is in a file, as text for a terminal. The file is read in pieces of a megabyte, or of a sample where
// that is more.
#pragma once

#include <cstdint>
#include <string>

namespace warpfit {

/// Errors of each: those of the class that reads the format.

/// Dimensions, range and checksum; of images the first `drawings` as text, of labels how many there are of
/// each.
std::string describe_idx(const std::string& path, std::int64_t drawings);
/// Metadata, and of each tensor its shape, range and checksum.
std::string describe_safetensors(const std::string& path);
/// The graph from input to output, and the weights as describe_safetensors has them.
std::string describe_onnx(const std::string& path);

}  // namespace warpfit
