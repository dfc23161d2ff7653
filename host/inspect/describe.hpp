// What is in a file, as text for a terminal. The file is read in pieces of a megabyte, or of a sample where
// that is more. The text is at most proportional to the file: names and values are shortened.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace warpfit {

/// Takes the text, one or more lines at a time.
using TextSink = std::function<void(std::string_view)>;

/// Errors of each: those of the class that reads the format.

/// Dimensions, range and checksum; of images the first `drawings` as text, of labels how many there are of
/// each.
void describe_idx(const std::string& path, std::int64_t drawings, const TextSink& print);
/// Metadata, and of each tensor its shape, range and checksum.
void describe_safetensors(const std::string& path, const TextSink& print);
/// The graph from input to output, and the weights as describe_safetensors has them.
void describe_onnx(const std::string& path, const TextSink& print);

}  // namespace warpfit
