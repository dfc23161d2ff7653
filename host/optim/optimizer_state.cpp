#include "host/optim/optimizer_state.hpp"

#include <fmt/core.h>

#include <span>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

constexpr std::size_t kMuonMoment = 0;  // moment in which momentum is kept

}  // namespace

OptimizerState::OptimizerState(Backend& backend, const ParameterGroups& groups, std::size_t size)
    : backend_(backend) {
  const auto keep = [&](std::size_t moment) {
    if (moments_[moment].size() == 0) moments_[moment] = {backend, std::vector<float>(size)};
  };
  if (groups.muon) {
    muon_ = backend.prepare(groups.muon->muon, groups.muon->matrices);
    keep(kMuonMoment);
  }
  for (const auto& [optimizer, ranges, factor] : groups.groups) {
    auto& group = groups_.emplace_back();
    group.optimizer = optimizer;
    group.rate_factor = factor;
    if (!ranges.empty()) group.ranges = {backend, ranges};
    if (updates_all_alike() && is_plain_sgd(optimizer)) return;
    const auto kept = moments_of(optimizer);
    for (std::size_t k = 0; k < kMaxMoments; ++k) {
      if (kept[k]) keep(k);
    }
    group.progress = {backend, std::vector<OptimizerProgress>(1)};
  }
}

void OptimizerState::update(Vector parameters, ConstVector gradients) const {
  if (muon_) muon_->update({parameters, gradients, moments_[kMuonMoment].view()});
  for (const auto& group : groups_) backend_.update(group.optimizer, views(group, parameters, gradients));
}

OptimizerViews OptimizerState::views(const Group& group, Vector parameters, ConstVector gradients) const {
  OptimizerViews views{parameters, gradients, {}, group.progress.data(), {}};
  const auto kept = moments_of(group.optimizer);
  for (std::size_t k = 0; k < kMaxMoments; ++k) {
    if (kept[k]) views.moments[k] = moments_[k].view();
  }
  views.ranges = {group.ranges.data(), group.ranges.size()};
  views.rate_factor = group.rate_factor;
  return views;
}

OptimizerState::Memory OptimizerState::memory() const {
  Memory memory;
  for (std::size_t k = 0; k < kMaxMoments; ++k) memory.moments[k] = moments_[k].to_host();
  if (!groups_.empty() && groups_.front().progress.size() > 0) {  // all groups have taken equally many steps
    const OptimizerProgress progress = groups_.front().progress.to_host().front();
    memory.steps = progress.steps;
    memory.scalar = progress.scalar;
    for (const auto& group : std::span(groups_).subspan(1))
      memory.other_scalars.push_back(group.progress.to_host().front().scalar);
  }
  return memory;
}

void OptimizerState::restore(const Memory& memory) {
  for (std::size_t k = 0; k < kMaxMoments; ++k) {
    if (memory.moments[k].size() != moments_[k].size()) {
      throw ModelError(fmt::format("checkpoint of another optimizer: moment {} has {} values, expected {}", k,
                                   memory.moments[k].size(), moments_[k].size()));
    }
    moments_[k].upload(memory.moments[k]);
  }
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    if (groups_[i].progress.size() == 0) continue;
    const bool has_own = i > 0 && i <= memory.other_scalars.size();
    const float scalar = has_own ? memory.other_scalars[i - 1] : memory.scalar;
    groups_[i].progress.upload(std::vector{OptimizerProgress{.steps = memory.steps, .scalar = scalar}});
  }
}

}  // namespace warpfit
