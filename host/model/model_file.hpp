// Models as safetensors files with PyTorch's names, so that `model.load_state_dict(load_file(path))` takes
// them, and all that another command needs in the metadata.
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
  std::vector<float> parameters;  ///< laid out as plan_of(info) says
  std::vector<float> state = {};  ///< likewise
  /// For the user, if the file was read other than as it is: types that were converted; tensors that were
  /// ignored.
  std::vector<std::string> notes = {}, warnings = {};
};

/// Prefix of the names of the tensors that a checkpoint holds in addition to the model's.
constexpr std::string_view kOptimizerPrefix = "optimizer.";

/// Errors: UsageError if no file could hold tensors of these names, or PyTorch could not load them: expected
/// are attributes of modules joined by dots, in UTF-8, or none.
void check_names(std::string_view names);

/// "linear_relu_stack.0.weight", "linear_relu_stack.0.bias", "linear_relu_stack.2.weight", ...: nn.Sequential
/// counts ReLU and Dropout too.
std::vector<std::string> parameter_names(const ModelInfo& info);

/// The parameters, or what is laid out like them, as tensors named `prefix` + PyTorch's name.
std::vector<TensorView> parameter_tensors(const ModelInfo& info, std::span<const float> parameters,
                                          const std::string& prefix = "");

/// Tells of the first parameter that is NaN or infinite: "element 3 of tensor 0.weight is nan"; "" if there
/// is none.
std::string not_finite(const ModelInfo& info, std::span<const float> parameters);
/// Likewise of one tensor.
std::string not_finite(const std::string& name, std::span<const float> values);

/// The tensors of a network's state, named as PyTorch's, with the integers of its counters.
struct StateTensors {
  std::vector<TensorView> tensors;
  std::vector<std::int64_t> counters;  ///< what some of the tensors refer to
};
StateTensors state_tensors(const ModelInfo& info, std::span<const float> state);

/// Replaces the file at `location`; `state` may be missing if the network has none. Errors: IoError.
void save_model(const FileLocation& location, const ModelInfo& info, std::span<const float> parameters,
                std::span<const float> state = {});

/// A model of warpfit, or a state dict of PyTorch with the weights and biases of a chain of nn.Linear, of any
/// floating-point type (see state_dict_of()). Prefixes of wrappers such as DistributedDataParallel are not
/// part of the names. Errors: ModelError naming what does not fit; IoError.
Model load_model(const std::string& path);
Model load_model(const SafetensorsFile& file);

/// What was written from parameter_tensors with this prefix. Errors: ModelError where a tensor is missing or
/// of another shape.
std::vector<float> read_parameters(const SafetensorsFile& file, const ModelInfo& info,
                                   const std::string& prefix);

}  // namespace warpfit
