// The graph of ONNX operators that computes the same as a network in evaluation.
#pragma once

#include "host/files/onnx.hpp"
#include "host/model/model_file.hpp"

namespace warpfit {

/// The operators of the model's layers with the model's tensor names, and the model's metadata. The graph
/// refers to the values of `model`, which must live longer.
///
/// The input is a batch of samples as they are in the data, divided by 255; the graph normalizes them. If no
/// layer needs images, the graph begins with Flatten. Otherwise samples of two dimensions (28 x 28) become
/// images of one channel first. The output has one value for each class. Dropout is left out, as in
/// evaluation.
[[nodiscard]] OnnxGraph onnx_graph_of(const Model& model);

}  // namespace warpfit
