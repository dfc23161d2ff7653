// A multilayer perceptron in a backend's memory.
#pragma once

#include <vector>

#include "host/backend/buffer.hpp"
#include "host/model/network_spec.hpp"
#include "host/model/parameter_layout.hpp"

namespace warpfit {

/// The layers' views of a flat buffer that is laid out so: parameters, or their gradients.
std::vector<Linear> layers_of(const ParameterLayout& layout, Vector flat);

class Network {
 public:
  /// `parameters`: initial values in the order of `layout`, which is of `spec`.
  Network(Backend& backend, NetworkSpec spec, ParameterLayout layout, std::span<const float> parameters);

  [[nodiscard]] const NetworkSpec& spec() const { return spec_; }
  [[nodiscard]] const ParameterLayout& layout() const { return layout_; }
  [[nodiscard]] const std::vector<Linear>& layers() const { return layers_; }
  [[nodiscard]] const Buffer<float>& parameters() const { return parameters_; }
  /// Sets all parameters, in the order of the layout.
  void upload(std::span<const float> parameters) const { parameters_.upload(parameters); }

 private:
  NetworkSpec spec_;
  ParameterLayout layout_;
  Buffer<float> parameters_;
  std::vector<Linear> layers_;
};

}  // namespace warpfit
