#include "cuda/fused/match_mlp.hpp"

#include "cuda/fused/fused_run.hpp"

namespace warpfit::cuda {
namespace {

// Why the trainer cannot take this operation, which is the last one or not; "" if it can.
std::string obstacle(const Operation& operation, bool is_last) {
  const char* const other = "the network is not one of linear layers with ReLU between them";
  if (std::holds_alternative<DropoutOperation>(operation)) return "it has no dropout";
  if (std::holds_alternative<BatchNormOperation>(operation)) return "it has no batch normalization";
  const auto* linear = std::get_if<LinearOperation>(&operation);
  if (linear == nullptr) return other;
  if (!linear->bias) return "its linear layers all have a bias";
  return (linear->activation == ActivationKind::kRelu) != is_last ? "" : other;
}

std::string obstacle(const StepPlan& plan, Precision precision) {
  if (precision != Precision::kFp32) return "its products are fp32 alone";
  if (!is_cross_entropy(plan.loss)) return "its loss is cross-entropy alone";
  if (!plan.loss.class_weights.empty()) return "it weighs all classes alike";
  if (plan.update && (plan.update->clipping.norm > 0 || plan.update->clipping.value > 0))
    return "it does not clip gradients";
  if (plan.update && !plan.update->updates_all_alike) return "it updates all parameters with one optimizer";
  if (plan.update && plan.update->sums_gradients) return "it updates after each batch";
  if (plan.update && plan.update->averages_parameters) return "it keeps no average of the parameters";
  if (plan.update && plan.update->measures_norm) return "it does not measure the gradients' norm";
  const auto is_fused = []<class Rule>(const Rule&) { return kIsFused<Rule>; };
  if (plan.update && !std::visit(is_fused, plan.update->optimizer))
    return "its optimizers are SGD, Adam, AdamW, RMSprop and Adagrad";
  const auto& operations = plan.network.operations;
  for (const auto& planned : operations) {
    if (auto found = obstacle(planned.operation, &planned == &operations.back()); !found.empty())
      return found;
  }
  return "";
}

}  // namespace

std::optional<Mlp> match_mlp(const StepPlan& plan, Precision precision, std::string& reason) {
  reason = obstacle(plan, precision);
  if (!reason.empty()) return std::nullopt;
  Mlp mlp{plan.network.widths, {}, {}};
  for (const auto& planned : plan.network.operations) {
    const auto offset = [&](std::size_t tensor) {
      return plan.tensors[planned.first_tensor + tensor].data() - plan.parameters.data();
    };
    mlp.weights.push_back(offset(0));
    mlp.biases.push_back(offset(1));
  }
  return mlp;
}

}  // namespace warpfit::cuda
