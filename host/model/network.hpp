// A network in a backend's memory.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "host/backend/buffer.hpp"
#include "host/model/network_plan.hpp"

namespace warpfit {

/// The values of a network, in the layout of its plan.
struct NetworkValues {
  std::vector<float> parameters;
  std::vector<float> state;  ///< not trained, but changed in training, such as running statistics
};

class Network {
 public:
  /// Initial values, in the plan's layout; without `state` that of initial_state() is used.
  Network(Backend& backend, NetworkPlan plan, std::span<const float> parameters,
          std::span<const float> state = {});
  Network(Backend& backend, NetworkPlan plan, const NetworkValues& values)
      : Network(backend, std::move(plan), values.parameters, values.state) {}

  [[nodiscard]] const NetworkPlan& plan() const { return plan_; }
  [[nodiscard]] const Buffer<float>& parameters() const { return parameters_; }
  /// Empty for most networks.
  [[nodiscard]] const Buffer<float>& state() const { return state_; }
  /// Sets all values; the layout is the plan's.
  void upload(std::span<const float> parameters, std::span<const float> state);

 private:
  NetworkPlan plan_;
  Buffer<float> parameters_;
  Buffer<float> state_;
};

}  // namespace warpfit
