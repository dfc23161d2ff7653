#include "host/train/engine.hpp"

#include <fmt/core.h>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

// What no whole step does; empty where the rule asks for nothing of it.
std::string obstacle(const TrainingRule& rule) {
  if (rule.loss.kind == LossKind::kMse) return "its loss is cross-entropy alone";
  if (rule.dropout.p > 0) return "it has no dropout";
  if (rule.clipping.norm > 0 || rule.clipping.value > 0) return "it does not clip gradients";
  if (rule.norm != nullptr) return "it does not measure the gradients' norm";
  return "";
}

}  // namespace

std::string chosen_engine(Engine wanted, const std::function<bool(std::string& reason)>& fuse) {
  std::string reason;
  if (wanted == Engine::kLayers) return "layers";
  if (fuse(reason)) return "fused";
  if (wanted == Engine::kFused) throw UsageError(fmt::format("--engine fused: {}", reason));
  return fmt::format("layers (fused: {})", reason);
}

WholeStep whole_evaluation(const Network& network, const Loss& loss, std::int64_t most_rows) {
  WholeStep step;
  step.layers = network.layers();
  step.parameters = network.parameters().view();
  step.most_rows = most_rows;
  step.label_smoothing = loss.label_smoothing;
  return step;
}

std::optional<WholeStep> whole_training(const Network& network, const TrainingRule& rule,
                                        std::int64_t most_rows, std::string& reason) {
  reason = obstacle(rule);
  if (!reason.empty()) return std::nullopt;
  auto step = whole_evaluation(network, rule.loss, most_rows);
  step.optimizer = Sgd{};
  if (rule.optimizer == nullptr) return step;
  const auto views = rule.optimizer->views(step.parameters, {});
  step.optimizer = rule.optimizer->optimizer();
  step.moments = views.moments;
  step.progress = views.progress;
  return step;
}

}  // namespace warpfit
