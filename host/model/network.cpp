#include "host/model/network.hpp"

#include <utility>

namespace warpfit {

Network::Network(Backend& backend, NetworkPlan plan, std::span<const float> parameters)
    : plan_(std::move(plan)), parameters_(backend, parameters) {}

}  // namespace warpfit
