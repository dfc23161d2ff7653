#include "host/train/engine.hpp"

#include <fmt/core.h>

#include "host/base/error.hpp"
#include "host/train/operation_plan.hpp"

namespace warpfit {
namespace {

// What no whole step does; empty where the rule asks for nothing of it.
std::string obstacle(const TrainingRule& rule) {
  if (rule.loss.kind == LossKind::kMse) return "its loss is cross-entropy alone";
  if (rule.clipping.norm > 0 || rule.clipping.value > 0) return "it does not clip gradients";
  if (rule.norm != nullptr) return "it does not measure the gradients' norm";
  return "";
}

// The network as linear layers with ReLU between them; none, and a reason, where it is not such.
std::vector<LinearViews> chain_of(const Network& network, std::string& reason) {
  std::vector<LinearViews> layers;
  for (const auto& planned : plan_operations(network.plan(), 0).operations) {
    const auto* linear = std::get_if<LinearOperation>(&planned.operation);
    if (linear == nullptr || !linear->bias) {
      const bool is_dropout = std::holds_alternative<DropoutOperation>(planned.operation);
      reason =
          is_dropout ? "it has no dropout" : "the network is not one of linear layers with ReLU between them";
      return {};
    }
    const auto* const tensors = &network.plan().tensors[planned.first_tensor];
    const auto all = network.parameters().view();
    layers.push_back({{tensors[0].in(all).data(), linear->outputs, linear->inputs},
                      tensors[1].in(all),
                      linear->activation});
  }
  return layers;
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
  std::string reason;
  step.layers = chain_of(network, reason);
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
  if (chain_of(network, reason).empty()) return std::nullopt;
  step.optimizer = Sgd{};
  if (rule.optimizer == nullptr) return step;
  const auto views = rule.optimizer->views(step.parameters, {});
  step.optimizer = rule.optimizer->optimizer();
  step.moments = views.moments;
  step.progress = views.progress;
  return step;
}

}  // namespace warpfit
