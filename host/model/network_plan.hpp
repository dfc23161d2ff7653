// What follows from a network and the shape of a sample: the shape of every value, and every tensor with its
// name, its offset and its initial distribution. Derived once, and read by everything that saves, loads,
// shows or runs a network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "host/model/network_spec.hpp"

namespace warpfit {

/// A tensor of the network. All that are trained lie in one flat buffer, all others in a second one, each
/// beginning at a multiple of 128 bytes for vector and bulk accesses; the gaps between them are 0 and stay
/// so.
struct PlannedTensor {
  std::string name;                 ///< "2.weight", as nn.Sequential counts
  std::vector<std::int64_t> shape;  ///< as PyTorch has it
  Initializer initializer;
  TensorRole role = TensorRole::kWeight;
  std::size_t offset = 0;  ///< in floats
  std::size_t size = 0;    ///< in floats

  /// Its elements in a buffer that is laid out so.
  template <class T>
  [[nodiscard]] std::span<T> in(std::span<T> flat) const {
    return flat.subspan(offset, size);
  }
};

/// A layer of the network: it reads the output of the node before it, the first one the samples.
struct Node {
  Layer layer;
  Shape in, out;
  std::size_t first_tensor = 0;  ///< of NetworkPlan::tensors
  std::size_t tensors = 0;       ///< how many from there on are its own
  std::size_t first_state = 0;   ///< likewise of NetworkPlan::state
  std::size_t states = 0;
};

struct NetworkPlan {
  Shape sample;
  std::vector<Node> nodes;             ///< at least one
  std::vector<PlannedTensor> tensors;  ///< parameters, which are trained
  std::size_t floats = 0;              ///< of their flat buffer, gaps included
  std::vector<PlannedTensor> state;    ///< tensors that are not trained, such as running statistics
  std::size_t state_floats = 0;        ///< of their flat buffer

  [[nodiscard]] std::int64_t inputs() const { return sample.size(); }
  [[nodiscard]] std::int64_t classes() const { return nodes.back().out.size(); }
  /// Elements of all parameters.
  [[nodiscard]] std::int64_t parameters() const;
};

/// Errors: UsageError naming the layer by number and text and the shape that it does not take, or if the
/// output is not at least 2 values.
NetworkPlan plan_network(const NetworkSpec& network, const Shape& sample);

/// For vectors of as many values as the network says that it takes.
NetworkPlan plan_network(const NetworkSpec& network);

}  // namespace warpfit
