// Models as safetensors files with PyTorch's names, so that `model.load_state_dict(load_file(path))` accepts
// them. The metadata contains everything else that other commands need.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/files/safetensors_file.hpp"
#include "host/files/tensor.hpp"
#include "host/model/model_info.hpp"
#include "host/model/network_plan.hpp"

namespace warpfit {

struct Model {
  ModelInfo info;
  std::vector<float> parameters;  ///< in the layout of plan_of(info)
  std::vector<float> state = {};  ///< likewise
  /// For the user: converted types and ignored tensors, if there were any.
  std::vector<std::string> notes = {}, warnings = {};
  bool is_own = false;  ///< whether warpfit wrote it; otherwise it is a PyTorch state dict
};

/// Prefix of the names of tensors that a checkpoint has in addition to the model's.
constexpr std::string_view kOptimizerPrefix = "optimizer.";

/// Errors: UsageError if a file could not contain tensors with these names, or PyTorch could not load them.
/// Valid are attributes of modules joined by dots, in UTF-8, or an empty text.
void check_names(std::string_view names);

/// "linear_relu_stack.0.weight", "linear_relu_stack.0.bias", "linear_relu_stack.2.weight", ...: nn.Sequential
/// counts ReLU and Dropout, too.
std::vector<std::string> parameter_names(const ModelInfo& info);

/// The parameters, or values with the same layout, as tensors named `prefix` + PyTorch's name.
std::vector<TensorView> parameter_tensors(const ModelInfo& info, std::span<const float> parameters,
                                          const std::string& prefix = "");

/// Describes the first parameter that is NaN or infinite: "element 3 of tensor 0.weight is nan". Returns ""
/// if there is none.
std::string not_finite(const Model& model);
/// Likewise for one tensor.
std::string not_finite(const std::string& name, std::span<const float> values);

/// The tensors of a network's state with PyTorch's names, and the integer values of its counters.
struct StateTensors {
  std::vector<TensorView> tensors;
  std::vector<std::int64_t> counters;  ///< the data of some of the tensors
};
StateTensors state_tensors(const ModelInfo& info, std::span<const float> state);

/// Replaces the file at `location`; `state` may be omitted if the network has none. Errors: IoError.
void save_model(const FileLocation& location, const ModelInfo& info, std::span<const float> parameters,
                std::span<const float> state = {});

/// Loads a model of warpfit, or a PyTorch state dict with the weights and biases of a chain of nn.Linear, of
/// any floating-point type (see state_dict_of()). Prefixes of wrappers such as DistributedDataParallel are
/// removed from the names. Errors: ModelError naming what does not match; IoError.
Model load_model(const std::string& path);
Model load_model(const SafetensorsFile& file);

/// Reads what was written from parameter_tensors() with this prefix. Errors: ModelError if a tensor is
/// missing or has another shape.
std::vector<float> read_parameters(const SafetensorsFile& file, const ModelInfo& info,
                                   const std::string& prefix);

}  // namespace warpfit
