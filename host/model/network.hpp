// A multilayer perceptron in a backend's memory.
#pragma once

#include <vector>

#include "host/backend/buffer.hpp"
#include "host/model/network_spec.hpp"
#include "host/model/parameter_layout.hpp"

namespace warpfit {

/// One linear layer and what follows it.
struct Linear {
  Matrix w;  ///< (outputs, inputs)
  Vector b;  ///< (outputs)
  Activation activation = Activation::kNone;
};

class Network {
 public:
  /// `parameters`: initial values in the order of `layout`, which is of `spec`.
  Network(Backend& backend, NetworkSpec spec, const ParameterLayout& layout,
          std::span<const float> parameters);

  [[nodiscard]] const NetworkSpec& spec() const { return spec_; }
  [[nodiscard]] const std::vector<Linear>& layers() const { return layers_; }
  [[nodiscard]] const Buffer<float>& parameters() const { return parameters_; }

 private:
  NetworkSpec spec_;
  Buffer<float> parameters_;
  std::vector<Linear> layers_;
};

}  // namespace warpfit
