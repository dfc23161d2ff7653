// The plan of a network for samples of a shape: the shape of every value, and every tensor with its name, its
// offset and its initial distribution. It is computed once and used by all code that saves, loads, shows or
// runs a network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "host/model/network_spec.hpp"

namespace warpfit {

/// A tensor of the network. All trained tensors are in one flat buffer, all others in a second one, each
/// aligned to 128 bytes for vector and bulk accesses; the gaps between them are 0 and remain 0.
struct PlannedTensor {
  std::string name;                 ///< "2.weight", with nn.Sequential's module number
  std::vector<std::int64_t> shape;  ///< as in PyTorch
  Initializer initializer;
  TensorRole role = TensorRole::kWeight;
  std::size_t offset = 0;     ///< in floats
  std::size_t size = 0;       ///< in floats
  bool requires_grad = true;  ///< false: a frozen parameter, which training does not change

  /// The tensor's elements in a buffer with this layout.
  template <class T>
  [[nodiscard]] std::span<T> in(std::span<T> flat) const {
    return flat.subspan(offset, size);
  }
};

/// A layer of the network. It reads the output of the node before it; the first one reads the samples.
struct Node {
  Layer layer;
  Shape in, out;
  std::size_t first_tensor = 0;  ///< index into NetworkPlan::tensors
  std::size_t tensors = 0;       ///< how many tensors from there on belong to it
  std::size_t first_state = 0;   ///< likewise for NetworkPlan::state
  std::size_t states = 0;
};

struct NetworkPlan {
  Shape sample;
  std::vector<Node> nodes;             ///< at least one
  std::vector<PlannedTensor> tensors;  ///< the trained parameters
  std::size_t floats = 0;              ///< size of their flat buffer, including gaps
  std::vector<PlannedTensor> state;    ///< tensors that are not trained, such as running statistics
  std::size_t state_floats = 0;        ///< size of their flat buffer

  [[nodiscard]] std::int64_t inputs() const { return sample.size(); }
  [[nodiscard]] std::int64_t classes() const { return nodes.back().out.size(); }
  /// Number of elements of all parameters.
  [[nodiscard]] std::int64_t parameters() const;
};

/// Errors: UsageError if a layer does not accept the shape of its input, naming the layer by number and text
/// and the shape; or if the output is not a vector of at least 2 values.
NetworkPlan plan_network(const NetworkSpec& network, const Shape& sample);

/// For samples that are vectors of the length that the network's text states.
NetworkPlan plan_network(const NetworkSpec& network);

}  // namespace warpfit
