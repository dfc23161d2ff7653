#include "cuda/fused/match_mlp.hpp"

#include "cuda/fused/fused_run.hpp"

namespace warpfit::cuda {
namespace {

// The reason why the persistent trainer does not support this operation; "" if it does. `is_last`: whether it
// is the network's last operation.
std::string obstacle(const Operation& operation, bool is_last) {
  const char* const other = "the network does not consist of linear layers with ReLU between them";
  if (std::holds_alternative<DropoutOperation>(operation)) return "dropout is not supported";
  if (std::holds_alternative<BatchNormOperation>(operation)) return "batch normalization is not supported";
  if (std::holds_alternative<ConvOperation>(operation)) return "convolutions are not supported";
  const auto* linear = std::get_if<LinearOperation>(&operation);
  if (linear == nullptr) return other;
  if (!linear->bias) return "linear layers without bias are not supported";
  return (linear->activation == ActivationKind::kRelu) != is_last ? "" : other;
}

std::string obstacle(const StepPlan& plan, Precision precision) {
  if (precision != Precision::kFp32) return "only fp32 is supported";
  if (!plan.input.is_plain()) return "augmentation and normalization of the samples are not supported";
  if (!is_cross_entropy(plan.loss)) return "only the cross-entropy loss is supported";
  if (!plan.loss.class_weights.empty()) return "class weights are not supported";
  if (plan.update && (plan.update->clipping.norm > 0 || plan.update->clipping.value > 0))
    return "gradient clipping is not supported";
  if (plan.update && !plan.update->updates_all_alike)
    return "only one optimizer and learning rate for all parameters is supported";
  if (plan.update && plan.update->sums_gradients) return "gradient accumulation is not supported";
  if (plan.update && plan.update->averages_parameters) return "averages of the parameters are not supported";
  if (plan.update && plan.update->measures_norm) return "measuring the gradient norm is not supported";
  const auto is_fused = []<class Rule>(const Rule&) { return kIsFused<Rule>; };
  if (plan.update && !std::visit(is_fused, plan.update->optimizer))
    return "only the optimizers SGD, Adam, AdamW, RMSprop and Adagrad are supported";
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
