#include "host/optim/optimizer_state.hpp"

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
  if (is_plain_sgd(optimizer_)) {
    backend_.sgd_update(parameters, gradients);
    return;
  }
  OptimizerViews views{parameters, gradients, {}, progress_.data()};
  for (std::size_t k = 0; k < kMostMoments; ++k) views.moments[k] = moments_[k].view();
  backend_.optimizer_update(optimizer_, views);
}

}  // namespace warpfit
