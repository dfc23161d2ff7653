// The network that a PyTorch state dict describes, if it is a chain of nn.Linear with ReLU in between.
#pragma once

#include <string>
#include <vector>

#include "host/files/safetensors_file.hpp"
#include "host/model/network_spec.hpp"

namespace warpfit {

struct StateDict {
  NetworkSpec network;
  std::int64_t inputs = 0;              ///< inputs of the first layer
  std::vector<std::string> names;       ///< the file's tensor names, in the order of the network's tensors
  std::vector<std::string> ignored;     ///< tensors that belong to no layer, such as counters of steps
  std::string note = {}, warning = {};  ///< about the order of the layers, if names alone do not determine it
};

/// Infers the network from names and shapes alone: X.weight (outputs, inputs) and, if the layer has one,
/// X.bias (outputs), in the natural order of X; if the layers' shapes do not match in that order, in the only
/// order in which they do. Other tensors of at most one dimension are ignored. Errors: ModelError naming the
/// tensor of another kind of layer, or what does not match.
StateDict state_dict_of(const SafetensorsFile& file);

}  // namespace warpfit
