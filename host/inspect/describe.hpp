// Describes the contents of a file as text for a terminal. The file is read in pieces of a megabyte, or of
// one sample if that is larger. The text is at most proportional to the file: names and values are shortened.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "host/stream/sample_layout.hpp"

namespace warpfit {

/// Receives the text, one or more lines at a time.
using TextSink = std::function<void(std::string_view)>;

/// The errors of each function are those of the class that reads the format.

struct IdxDescription {
  std::int64_t drawings = 0;  ///< number of images to draw, from the first one on
  std::string labels = "";    ///< path of the images' labels, which are described, too; empty for none
  SampleLayout layout = {};   ///< how the images are stored, to draw them
};

/// Dimensions, range and checksum; for images also mean, standard deviation and drawings, for labels the
/// count of each label. Additional errors: DataError if the numbers of images and labels differ; UsageError
/// if labels or transposing are requested for a file without images.
void describe_idx(const std::string& path, const IdxDescription& description, const TextSink& print);
/// The metadata, and the shape, range and checksum of each tensor.
void describe_safetensors(const std::string& path, const TextSink& print);
/// The graph from input to output, and the weights as in describe_safetensors().
void describe_onnx(const std::string& path, const TextSink& print);

}  // namespace warpfit
