#include "host/optim/optimizer_state.hpp"

#include <fmt/core.h>

#include "host/base/error.hpp"

namespace warpfit {

OptimizerState::OptimizerState(Backend& backend, const Optimizer& optimizer, std::size_t size)
    : backend_(backend), optimizer_(optimizer) {
  if (is_plain_sgd(optimizer)) return;
  const auto kept = moments_of(optimizer);
  for (std::size_t k = 0; k < kMostMoments; ++k) {
    if (kept[k]) moments_[k] = {backend, std::vector<float>(size)};
  }
  progress_ = {backend, std::vector<OptimizerProgress>(1)};
}

void OptimizerState::update(Vector parameters, ConstVector gradients) const {
  backend_.update(optimizer_, views(parameters, gradients));
}

OptimizerViews OptimizerState::views(Vector parameters, ConstVector gradients) const {
  OptimizerViews views{parameters, gradients, {}, progress_.data()};
  for (std::size_t k = 0; k < kMostMoments; ++k) views.moments[k] = moments_[k].view();
  return views;
}

OptimizerState::Memory OptimizerState::memory() const {
  Memory memory;
  for (std::size_t k = 0; k < kMostMoments; ++k) memory.moments[k] = moments_[k].to_host();
  if (progress_.size() > 0) {
    const OptimizerProgress progress = progress_.to_host().front();
    memory.steps = progress.steps;
    memory.scalar = progress.scalar;
  }
  return memory;
}

void OptimizerState::restore(const Memory& memory) {
  for (std::size_t k = 0; k < kMostMoments; ++k) {
    if (memory.moments[k].size() != moments_[k].size()) {
      throw ModelError(fmt::format("checkpoint of another optimizer: moment {} has {} values, expected {}", k,
                                   memory.moments[k].size(), moments_[k].size()));
    }
    moments_[k].upload(memory.moments[k]);
  }
  if (progress_.size() > 0)
    progress_.upload(std::vector{OptimizerProgress{.steps = memory.steps, .scalar = memory.scalar}});
}

}  // namespace warpfit
