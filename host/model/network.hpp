// A network in a backend's memory.
#pragma once

#include <span>

#include "host/backend/buffer.hpp"
#include "host/model/network_plan.hpp"

namespace warpfit {

class Network {
 public:
  /// `parameters`: initial values, laid out as the plan says.
  Network(Backend& backend, NetworkPlan plan, std::span<const float> parameters);

  [[nodiscard]] const NetworkPlan& plan() const { return plan_; }
  [[nodiscard]] const Buffer<float>& parameters() const { return parameters_; }
  /// Sets all parameters, laid out as the plan says.
  void upload(std::span<const float> parameters) { parameters_.upload(parameters); }

 private:
  NetworkPlan plan_;
  Buffer<float> parameters_;
};

}  // namespace warpfit
