#include "host/train/operation_plan.hpp"

#include <optional>
#include <utility>

namespace warpfit {
namespace {

bool is_relu(const PlannedOperation& planned) {
  const auto* activation = std::get_if<ActivationOperation>(&planned.operation);
  return activation != nullptr && activation->activation.kind == ActivationKind::kRelu;
}

// Where this operation stores a ReLU that is fused into it; null if it cannot include one.
ActivationKind* activation_of(Operation& operation) {
  if (auto* linear = std::get_if<LinearOperation>(&operation)) return &linear->activation;
  if (auto* norm = std::get_if<BatchNormOperation>(&operation)) return &norm->activation;
  return nullptr;
}

// The linear operation that reads the output of operation `at`, possibly through dropout; null if another
// operation does.
LinearOperation* linear_after(std::vector<PlannedOperation>& operations, std::size_t at) {
  for (std::size_t next = at + 1; next < operations.size(); ++next) {
    if (std::holds_alternative<DropoutOperation>(operations[next].operation)) continue;
    return std::get_if<LinearOperation>(&operations[next].operation);
  }
  return nullptr;
}

// ReLU's derivative follows from its output, even if dropout has set the output to 0: the gradient is then 0
// as well.
void fuse_relu(std::vector<PlannedOperation>& operations) {
  std::vector<PlannedOperation> fused;
  fused.reserve(operations.size());
  for (std::size_t i = 0; i < operations.size(); ++i) {
    auto* activation = activation_of(operations[i].operation);
    const bool has_relu = activation != nullptr && i + 1 < operations.size() && is_relu(operations[i + 1]);
    auto* consumer = has_relu ? linear_after(operations, i + 1) : nullptr;
    if (consumer != nullptr) *activation = consumer->input_activation = ActivationKind::kRelu;
    fused.push_back(operations[i]);
    if (consumer != nullptr) ++i;
  }
  operations = std::move(fused);
}

}  // namespace

OperationPlan plan_operations(const NetworkPlan& network, std::uint64_t dropout_seed) {
  OperationPlan plan{{}, {network.inputs()}};
  std::uint32_t dropouts = 0;
  for (const auto& node : network.nodes) {
    auto operation = std::visit([&](const auto& layer) { return operation_of(layer, node.in); }, node.layer);
    if (!operation) continue;
    if (auto* dropout = std::get_if<DropoutOperation>(&*operation)) {
      dropout->mask.seed = dropout_seed;
      dropout->mask.layer = dropouts++;
    }
    plan.operations.push_back({.operation = *operation,
                               .outputs = node.out.size(),
                               .first_tensor = node.first_tensor,
                               .tensors = node.tensors,
                               .first_state = node.first_state,
                               .states = node.states});
  }
  fuse_relu(plan.operations);
  bool learns = false;
  for (auto& planned : plan.operations) {
    planned.x = plan.widths.size() - 1;
    if (!std::holds_alternative<DropoutOperation>(planned.operation)) plan.widths.push_back(planned.outputs);
    planned.y = plan.widths.size() - 1;
    planned.has_input_gradient = learns;
    learns = learns || planned.tensors > 0;
  }
  return plan;
}

}  // namespace warpfit
