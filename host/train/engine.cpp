#include "host/train/engine.hpp"

#include <fmt/core.h>

#include "host/base/error.hpp"

namespace warpfit {

std::string chosen_engine(Engine wanted, const std::function<bool(std::string& reason)>& compile) {
  std::string reason;
  if (wanted == Engine::kLayers) return "layers";
  if (compile(reason)) return "fused";
  if (wanted == Engine::kFused) throw UsageError(fmt::format("--engine fused: {}", reason));
  return fmt::format("layers (fused: {})", reason);
}

StepPlan evaluation_plan(const Network& network, const Workspace& workspace, const Loss& loss) {
  StepPlan plan;
  plan.network = workspace.plan();
  plan.parameters = network.parameters().view();
  for (const auto& tensor : network.plan().tensors) plan.tensors.push_back(tensor.in(plan.parameters));
  plan.max_batch_size = workspace.max_batch_size();
  plan.loss = loss;
  return plan;
}

StepPlan training_plan(const Network& network, const Workspace& workspace, const TrainingRule& rule) {
  auto plan = evaluation_plan(network, workspace, rule.loss);
  plan.input = rule.input;
  auto& update = plan.update.emplace();
  update.optimizer = Sgd{};
  update.clipping = rule.clipping;
  update.sums_gradients = !rule.gradient_sum.empty();
  update.averages_parameters = rule.average != nullptr;
  update.measures_norm = rule.norm != nullptr;
  if (rule.optimizer == nullptr) return plan;
  update.updates_all_alike = rule.optimizer->updates_all_alike();
  if (!update.updates_all_alike) return plan;  // only the layers engine supports this
  const auto views = rule.optimizer->views(plan.parameters, {});
  update.optimizer = rule.optimizer->optimizer();
  update.moments = views.moments;
  update.progress = views.progress;
  return plan;
}

}  // namespace warpfit
