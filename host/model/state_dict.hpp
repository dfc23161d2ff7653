// The network that a state dict of PyTorch describes, if it is a chain of nn.Linear with ReLU between them.
#pragma once

#include <string>
#include <vector>

#include "host/files/safetensors_file.hpp"
#include "host/model/network_spec.hpp"

namespace warpfit {

struct StateDict {
  NetworkSpec network;
  std::int64_t inputs = 0;           ///< of the first layer
  std::vector<std::string> names;    ///< of the file's tensors, in the order of the network's
  std::vector<std::string> ignored;  ///< tensors that belong to no layer, such as counters of steps
  std::string note = {},
              warning = {};  ///< of the order of the layers, where it is not that of their names alone
};

/// From names and shapes alone: X.weight (outputs, inputs) and, if the layer has one, X.bias (outputs), in
/// the natural order of X; if the layers do not fit together so, in the one order in which they do. Other
/// tensors of at most one dimension are ignored. Errors: ModelError naming the tensor of another kind of
/// layer, or what does not fit.
StateDict state_dict_of(const SafetensorsFile& file);

}  // namespace warpfit
