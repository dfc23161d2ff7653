#include "host/model/network.hpp"

#include <utility>

#include "host/model/initializer.hpp"

namespace warpfit {

Network::Network(Backend& backend, NetworkPlan plan, std::span<const float> parameters,
                 std::span<const float> state)
    : plan_(std::move(plan)), parameters_(backend, parameters) {
  if (plan_.state.empty()) return;
  state_ = state.empty() ? Buffer<float>(backend, initial_state(plan_)) : Buffer<float>(backend, state);
}

void Network::upload(std::span<const float> parameters, std::span<const float> state) {
  parameters_.upload(parameters);
  if (state_.size() > 0) state_.upload(state);
}

}  // namespace warpfit
