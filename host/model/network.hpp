// A network in a backend's memory.
#pragma once

#include <vector>

#include "host/backend/buffer.hpp"
#include "host/backend/linear.hpp"
#include "host/model/network_plan.hpp"

namespace warpfit {

/// The views of a chain of linear layers with ReLU between them, in a flat buffer that is laid out as the
/// plan says: parameters, or their gradients.
std::vector<LinearViews> linear_layers(const NetworkPlan& plan, Vector flat);

class Network {
 public:
  /// `parameters`: initial values, laid out as the plan says.
  Network(Backend& backend, NetworkPlan plan, std::span<const float> parameters);

  [[nodiscard]] const NetworkPlan& plan() const { return plan_; }
  [[nodiscard]] const std::vector<LinearViews>& layers() const { return layers_; }
  [[nodiscard]] const Buffer<float>& parameters() const { return parameters_; }
  /// Sets all parameters, laid out as the plan says.
  void upload(std::span<const float> parameters) { parameters_.upload(parameters); }

 private:
  NetworkPlan plan_;
  Buffer<float> parameters_;
  std::vector<LinearViews> layers_;
};

}  // namespace warpfit
