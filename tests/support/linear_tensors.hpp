// Offsets of the weight and bias of each linear layer in a network's flat buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/model/network_plan.hpp"

namespace warpfit::test {

struct LinearTensors {
  std::int64_t inputs = 0, outputs = 0;
  std::size_t weight = 0;  ///< offset of (outputs, inputs), in floats
  std::size_t bias = 0;    ///< offset of (outputs), in floats

  [[nodiscard]] std::size_t weight_size() const { return static_cast<std::size_t>(inputs * outputs); }
  [[nodiscard]] std::size_t bias_size() const { return static_cast<std::size_t>(outputs); }
};

/// Requires that all linear layers of the plan have a bias.
inline std::vector<LinearTensors> linear_tensors(const NetworkPlan& plan) {
  std::vector<LinearTensors> all;
  for (const auto& node : plan.nodes) {
    if (!std::holds_alternative<Linear>(node.layer)) continue;
    all.push_back({node.in.size(), node.out.size(), plan.tensors[node.first_tensor].offset,
                   plan.tensors[node.first_tensor + 1].offset});
  }
  return all;
}

}  // namespace warpfit::test
