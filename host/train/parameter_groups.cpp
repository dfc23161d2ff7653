#include "host/train/parameter_groups.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "host/base/error.hpp"
#include "host/base/glob.hpp"
#include "host/base/shown.hpp"
#include "host/model/frozen_parameters.hpp"

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

// Finds or adds the group of this optimizer and factor.
ParameterGroup& group_of(std::vector<ParameterGroup>& groups, const Optimizer& optimizer, float factor) {
  const auto found = std::ranges::find_if(groups, [&](const ParameterGroup& group) {
    return group.rate_factor == factor && has_decay(group.optimizer) == has_decay(optimizer);
  });
  if (found != groups.end()) return *found;
  return groups.emplace_back(ParameterGroup{.optimizer = optimizer, .rate_factor = factor});
}

}  // namespace

float rate_factor_of(std::string_view name, const std::vector<RateFactor>& factors) {
  const auto matches = [name](const RateFactor& each) { return matches_glob(each.pattern, name); };
  const auto found = std::ranges::find_if(factors, matches);
  return found == factors.end() ? 1 : found->factor;
}

void check_rate_factors(const NetworkPlan& plan, const std::vector<RateFactor>& factors) {
  constexpr std::string_view kFlag = "--lr-factor";
  std::vector<bool> has_factor(plan.tensors.size());
  for (const auto& [pattern, factor] : factors) {
    bool has_effect = false;
    for (const auto i : matching_parameters(plan, kFlag, pattern)) {
      has_effect = has_effect || (!has_factor[i] && plan.tensors[i].requires_grad);
      has_factor[i] = true;
    }
    if (has_effect) continue;
    throw UsageError(fmt::format(
        "{} {}={}: no effect, because all parameters that match are frozen or match an earlier pattern",
        kFlag, shown(pattern), factor));
  }
}

ParameterGroups parameter_groups(const NetworkPlan& plan, const TrainOptions& options) {
  const auto& [biases, norms] = options.no_decay;
  const bool splits = (biases || norms) && has_decay(options.optimizer);
  MuonGroup matrices{options.muon.value_or(Muon{}), {}};
  ParameterGroups groups;
  bool trains_all = true;
  for (const auto& tensor : plan.tensors) {
    trains_all = trains_all && tensor.requires_grad;
    if (!tensor.requires_grad) continue;
    const float factor = rate_factor_of(tensor.name, options.rate_factors);
    if (options.muon && is_matrix(tensor)) {
      matrices.matrices.push_back({range_of(tensor).first, tensor.shape[0], tensor.shape[1], factor});
    } else {
      const bool decays = !splits || !is_undecayed(tensor.role, options.no_decay);
      const auto optimizer = decays ? options.optimizer : without_decay(options.optimizer);
      group_of(groups.groups, optimizer, factor).ranges.push_back(range_of(tensor));
    }
  }
  if (!matrices.matrices.empty()) groups.muon = std::move(matrices);
  const bool is_one = !groups.muon && groups.groups.size() == 1 && groups.groups.front().rate_factor == 1;
  if (is_one && trains_all) groups.groups.front().ranges.clear();  // all parameters
  return groups;
}

}  // namespace warpfit
