// A model's description, stored as metadata of a safetensors file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/backend/pixel_transform.hpp"
#include "host/base/pixel_statistics.hpp"
#include "host/files/safetensors_file.hpp"
#include "host/files/tensor.hpp"
#include "host/model/network_plan.hpp"

namespace warpfit {

/// The description of a model: everything except its parameters.
struct ModelInfo {
  NetworkSpec network;
  std::vector<std::int64_t> sample_shape;      ///< {28, 28}
  bool log_softmax = false;                    ///< whether a LogSoftmax follows the last layer
  float dropout = 0;                           ///< probability after each hidden ReLU, in training
  std::string names = "linear_relu_stack";     ///< attribute of the PyTorch module that contains the layers
  std::vector<std::string> class_names = {};   ///< one for each class; empty if not known
  std::optional<PixelStatistics> pixels = {};  ///< statistics of the training images, if known
  Normalization normalization = {};            ///< of all samples
};

/// The network's plan, with its dropout. Errors: UsageError if the network does not accept such samples.
NetworkPlan plan_of(const ModelInfo& info);

/// The model's description as metadata, for read_model_info().
Metadata metadata_of(const ModelInfo& info);

/// The entries of the normalization in such metadata, as --normalize takes them; empty if there are none.
std::string normalization_text(const Metadata& metadata);

/// Whether warpfit wrote the file, judging by its metadata.
bool is_own_model(const SafetensorsFile& file);

/// Reads the description of a model that warpfit wrote. Errors: ModelError naming the missing or invalid
/// entry.
ModelInfo read_model_info(const SafetensorsFile& file);

}  // namespace warpfit
