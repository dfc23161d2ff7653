// What a model is, apart from its parameters, as the metadata of a safetensors file has it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/base/pixel_statistics.hpp"
#include "host/files/safetensors_file.hpp"
#include "host/files/tensor.hpp"
#include "host/model/network_plan.hpp"

namespace warpfit {

/// What a model is, in addition to its parameters.
struct ModelInfo {
  NetworkSpec network;
  std::vector<std::int64_t> sample_shape;      ///< {28, 28}
  bool log_softmax = false;                    ///< after the last layer
  float dropout = 0;                           ///< after each hidden ReLU, in training
  std::string names = "linear_relu_stack";     ///< attribute of PyTorch's module that holds the layers
  std::vector<std::string> class_names = {};   ///< of each class; empty if they are not known
  std::optional<PixelStatistics> pixels = {};  ///< of the images it was trained on, if known
};

/// The network's plan, with its dropout. Errors: UsageError if it does not take such samples.
NetworkPlan plan_of(const ModelInfo& info);

/// The model as metadata, to be read by read_model_info().
Metadata metadata_of(const ModelInfo& info);

/// Whether warpfit wrote it, going by its metadata.
bool is_own_model(const SafetensorsFile& file);

/// Of a model that warpfit wrote. Errors: ModelError naming the entry that is missing or wrong.
ModelInfo read_model_info(const SafetensorsFile& file);

}  // namespace warpfit
