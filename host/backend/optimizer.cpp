#include "host/backend/optimizer.hpp"

namespace warpfit {

std::array<bool, kMaxMoments> moments_of(const Optimizer& optimizer) {
  return std::visit(
      [](const auto& rule) {
        std::array<bool, kMaxMoments> kept{};
        for (std::size_t k = 0; k < kMaxMoments; ++k) {
          kept[k] = rule.kMoments[k] == MomentUse::kAlways ||
                    (rule.kMoments[k] == MomentUse::kSometimes && rule.sometimes(k));
        }
        return kept;
      },
      optimizer);
}

Optimizer without_decay(Optimizer optimizer) {
  std::visit(
      [](auto& rule) {
        if constexpr (requires { rule.weight_decay; }) rule.weight_decay = 0;
      },
      optimizer);
  return optimizer;
}

bool has_decay(const Optimizer& optimizer) {
  return std::visit(
      [](const auto& rule) {
        if constexpr (requires { rule.weight_decay; }) return rule.weight_decay != 0;
        return false;
      },
      optimizer);
}

}  // namespace warpfit
