#include "host/train/parameter_groups.hpp"

#include <utility>

namespace warpfit {
namespace {

ParameterRange range_of(const PlannedTensor& tensor) {
  return {static_cast<std::int64_t>(tensor.offset), static_cast<std::int64_t>(tensor.size)};
}

bool is_matrix(const PlannedTensor& tensor) {
  return tensor.role == TensorRole::kWeight && tensor.shape.size() == 2;
}

}  // namespace

ParameterGroups parameter_groups(const NetworkPlan& plan, const Optimizer& optimizer, bool no_decay_of_biases,
                                 const std::optional<Muon>& muon) {
  const bool splits_off_biases = no_decay_of_biases && has_decay(optimizer);
  if (!muon && !splits_off_biases) return {{{optimizer}}};
  MuonGroup matrices{muon.value_or(Muon{}), {}};
  ParameterGroup biases{without_decay(optimizer)};
  ParameterGroup others{optimizer};
  for (const auto& tensor : plan.tensors) {
    if (muon && is_matrix(tensor)) {
      matrices.matrices.push_back({range_of(tensor).first, tensor.shape[0], tensor.shape[1]});
    } else {
      auto& group = splits_off_biases && tensor.role == TensorRole::kBias ? biases : others;
      group.ranges.push_back(range_of(tensor));
    }
  }
  ParameterGroups groups;
  if (!matrices.matrices.empty()) groups.muon = std::move(matrices);
  for (auto* group : {&others, &biases}) {
    if (!group->ranges.empty()) groups.groups.push_back(std::move(*group));
  }
  if (!groups.muon && groups.groups.size() == 1) groups.groups.front().ranges.clear();  // they are all
  return groups;
}

}  // namespace warpfit
