// What is in a file, as text for a terminal. The file is read in pieces of a megabyte, or of a sample where
// that is more. The text is at most proportional to the file: names and values are shortened.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "host/stream/sample_layout.hpp"

namespace warpfit {

/// Takes the text, one or more lines at a time.
using TextSink = std::function<void(std::string_view)>;

/// Errors of each: those of the class that reads the format.

struct IdxDescription {
  std::int64_t drawings = 0;  ///< how many images to draw, the first ones
  std::string labels = "";    ///< file of the images' labels, to be described too; empty for none
  SampleLayout layout = {};   ///< how images are stored, to draw them
};

/// Dimensions, range and checksum; of images mean, standard deviation and drawings, of labels how many there
/// are of each. Errors in addition: DataError if images and labels differ in number; UsageError if labels or
/// transposing are requested for a file that has no images.
void describe_idx(const std::string& path, const IdxDescription& description, const TextSink& print);
/// Metadata, and of each tensor its shape, range and checksum.
void describe_safetensors(const std::string& path, const TextSink& print);
/// The graph from input to output, and the weights as describe_safetensors has them.
void describe_onnx(const std::string& path, const TextSink& print);

}  // namespace warpfit
