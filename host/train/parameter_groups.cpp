#include "host/train/parameter_groups.hpp"

#include <utility>

namespace warpfit {
namespace {

ParameterRange range_of(const PlannedTensor& tensor) {
  return {static_cast<std::int64_t>(tensor.offset), static_cast<std::int64_t>(tensor.size)};
}

bool is_undecayed(TensorRole role, NoDecay no_decay) {
  const bool is_bias = role == TensorRole::kBias || role == TensorRole::kNormBias;
  const bool is_of_norm = role == TensorRole::kNormWeight || role == TensorRole::kNormBias;
  return (is_bias && no_decay.biases) || (is_of_norm && no_decay.norms);
}

bool is_matrix(const PlannedTensor& tensor) {
  return tensor.role == TensorRole::kWeight && tensor.shape.size() == 2;
}

}  // namespace

ParameterGroups parameter_groups(const NetworkPlan& plan, const TrainOptions& options) {
  const auto& [biases, norms] = options.no_decay;
  const bool splits = (biases || norms) && has_decay(options.optimizer);
  MuonGroup matrices{options.muon.value_or(Muon{}), {}};
  ParameterGroup undecayed{without_decay(options.optimizer)};
  ParameterGroup others{options.optimizer};
  bool trains_all = true;
  for (const auto& tensor : plan.tensors) {
    trains_all = trains_all && tensor.requires_grad;
    if (!tensor.requires_grad) continue;
    if (options.muon && is_matrix(tensor)) {
      matrices.matrices.push_back({range_of(tensor).first, tensor.shape[0], tensor.shape[1]});
    } else {
      auto& group = splits && is_undecayed(tensor.role, options.no_decay) ? undecayed : others;
      group.ranges.push_back(range_of(tensor));
    }
  }
  ParameterGroups groups;
  if (!matrices.matrices.empty()) groups.muon = std::move(matrices);
  for (auto* group : {&others, &undecayed}) {
    if (!group->ranges.empty()) groups.groups.push_back(std::move(*group));
  }
  const bool is_one = !groups.muon && groups.groups.size() == 1;
  if (is_one && trains_all) groups.groups.front().ranges.clear();  // all parameters
  return groups;
}

}  // namespace warpfit
