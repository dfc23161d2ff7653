// The network that a state dict of PyTorch's describes, where it is a chain of nn.Linear.
#pragma once

#include <string>
#include <vector>

#include "host/files/safetensors_file.hpp"
#include "host/model/network_spec.hpp"

namespace warpfit {

struct StateDict {
  NetworkSpec network;
  std::vector<std::string> names;  ///< weight, bias, weight, bias, ...
};

/// From names and shapes alone: pairs X.weight (outputs, inputs) and X.bias (outputs) in the order of X,
/// whose numbers count as such. Errors: ModelError naming what is no part of such a chain.
StateDict state_dict_of(const SafetensorsFile& file);

}  // namespace warpfit
