#include "host/backend/optimizer.hpp"

namespace warpfit {
namespace {

std::array<bool, kMostMoments> moments(const Sgd& sgd) { return {sgd.momentum != 0, false, false}; }
std::array<bool, kMostMoments> moments(const Adam& adam) { return {true, true, adam.amsgrad}; }
std::array<bool, kMostMoments> moments(const Rmsprop& rmsprop) {
  return {rmsprop.momentum != 0, true, rmsprop.centered};
}
std::array<bool, kMostMoments> moments(const Adagrad&) { return {false, true, false}; }

}  // namespace

std::array<bool, kMostMoments> moments_of(const Optimizer& optimizer) {
  return std::visit([](const auto& rule) { return moments(rule); }, optimizer);
}

bool is_plain_sgd(const Optimizer& optimizer) {
  const auto* sgd = std::get_if<Sgd>(&optimizer);
  return sgd != nullptr && sgd->momentum == 0 && sgd->weight_decay == 0;
}

}  // namespace warpfit
