#include "host/train/operation_plan.hpp"

#include <algorithm>
#include <optional>
#include <span>
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
  if (auto* conv = std::get_if<ConvOperation>(&operation)) return &conv->activation;
  if (auto* sum = std::get_if<AddOperation>(&operation)) return &sum->activation;
  return nullptr;
}

// Where the operation that reads the output of operation `at`, possibly through dropout or a transposition,
// stores that this output is ReLU's; null if it cannot include ReLU's derivative.
ActivationKind* input_activation_after(std::vector<PlannedOperation>& operations, std::size_t at) {
  for (std::size_t next = at + 1; next < operations.size(); ++next) {
    auto& operation = operations[next].operation;
    if (std::holds_alternative<DropoutOperation>(operation)) continue;
    if (std::holds_alternative<TransposeOperation>(operation)) continue;
    if (auto* linear = std::get_if<LinearOperation>(&operation)) return &linear->input_activation;
    auto* conv = std::get_if<ConvOperation>(&operation);
    return conv != nullptr ? &conv->input_activation : nullptr;
  }
  return nullptr;
}

PoolOperation* max_pool(PlannedOperation& planned) {
  auto* pool = std::get_if<PoolOperation>(&planned.operation);
  return pool != nullptr && pool->kind == PoolKind::kMax ? pool : nullptr;
}

void fuse_relu_into_pooling(std::vector<PlannedOperation>& operations) {
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (max_pool(operations[i]) == nullptr) continue;
    const auto erase_relu = [&](std::size_t at) {
      if (at >= operations.size() || !is_relu(operations[at])) return false;
      max_pool(operations[i])->activation = ActivationKind::kRelu;
      operations.erase(operations.begin() + static_cast<std::ptrdiff_t>(at));
      return true;
    };
    erase_relu(i + 1);
    if (i > 0 && erase_relu(i - 1)) --i;
  }
}

// ReLU's derivative follows from its output, even if dropout has set the output to 0: the gradient is then 0
// as well.
void fuse_relu(std::vector<PlannedOperation>& operations) {
  std::vector<PlannedOperation> fused;
  fused.reserve(operations.size());
  for (std::size_t i = 0; i < operations.size(); ++i) {
    auto* activation = activation_of(operations[i].operation);
    const bool has_relu = activation != nullptr && i + 1 < operations.size() && is_relu(operations[i + 1]);
    auto* consumer = has_relu ? input_activation_after(operations, i + 1) : nullptr;
    if (consumer != nullptr) *activation = *consumer = ActivationKind::kRelu;
    fused.push_back(operations[i]);
    if (consumer != nullptr) ++i;
  }
  operations = std::move(fused);
}

// Transposes images where the next layer needs another layout than the current one.
class ImageLayout {
 public:
  /// The operation before a layer with this input; nothing if it has the layout that the layer needs.
  std::optional<TransposeOperation> before(const Layer& layer, const Shape& in) {
    // Both operands of a residual block's sum have the same layout, even if its layers change it.
    const bool needs_last = std::holds_alternative<Conv>(layer) || std::holds_alternative<Pool>(layer) ||
                            std::holds_alternative<BatchNorm>(layer) ||
                            std::holds_alternative<ResidualBegin>(layer);
    const bool needs_first = std::holds_alternative<Flatten>(layer);
    if (!(is_last_ ? needs_first : needs_last)) return {};
    is_last_ = !is_last_;
    if (in.channels == 1 || in.is_vector()) return {};  // both layouts are the same
    const auto pixels = in.height * in.width;
    return is_last_ ? TransposeOperation{in.channels, pixels} : TransposeOperation{pixels, in.channels};
  }

 private:
  bool is_last_ = false;
};

bool trains(const NetworkPlan& network, const Node& node) {
  const auto tensors = std::span(network.tensors).subspan(node.first_tensor, node.tensors);
  return std::ranges::any_of(tensors, &PlannedTensor::requires_grad);
}

bool is_dropout(const OperationPlan& plan, std::size_t at) {
  return std::holds_alternative<DropoutOperation>(plan.operations.at(at).operation);
}

// Assigns to each operation the values that it reads and writes, and to each value its memory. The first
// layer of a residual block reads the block's input without a copy. The gradients of the block's output and
// of its last layer's output are equal and share memory. Dropout works in place: if it is the first or the
// last layer of a block, the value or the gradient is copied.
void connect_values(OperationPlan& plan) {
  bool learns = false;
  std::vector<std::size_t>
      forks;  // indices of the operations that the blocks around the current one begin with
  plan.memory = plan.gradient_memory = {0};
  for (std::size_t i = 0; i < plan.operations.size(); ++i) {
    auto& planned = plan.operations[i];
    const auto x = plan.widths.size() - 1;
    planned.x = planned.y = x;
    planned.has_input_gradient = learns;
    learns = learns || planned.trains;
    if (is_dropout(plan, i)) continue;
    const auto y = planned.y = plan.widths.size();
    plan.widths.push_back(planned.outputs);
    plan.memory.push_back(y);
    plan.gradient_memory.push_back(y);
    if (std::holds_alternative<ForkOperation>(planned.operation)) {
      forks.push_back(i);
      if (!is_dropout(plan, i + 1)) plan.memory[y] = plan.memory[x];
    } else if (std::holds_alternative<AddOperation>(planned.operation)) {
      auto& fork = plan.operations[forks.back()];
      forks.pop_back();
      planned.other = fork.x;
      fork.other = y;
      if (!is_dropout(plan, i - 1)) std::ranges::replace(plan.gradient_memory, x, y);
    }
  }
}

}  // namespace

OperationPlan plan_operations(const NetworkPlan& network, std::uint64_t dropout_seed, bool sync_batch_norm) {
  OperationPlan plan;
  plan.widths = {network.inputs()};
  std::uint32_t dropouts = 0;
  ImageLayout layout;
  for (const auto& node : network.nodes) {
    if (const auto transposition = layout.before(node.layer, node.in))
      plan.operations.push_back({.operation = *transposition, .outputs = node.in.size()});
    auto operation = std::visit([&](const auto& layer) { return operation_of(layer, node.in); }, node.layer);
    if (!operation) continue;
    if (auto* dropout = std::get_if<DropoutOperation>(&*operation)) {
      dropout->mask.seed = dropout_seed;
      dropout->mask.layer = dropouts++;
    }
    if (auto* norm = std::get_if<BatchNormOperation>(&*operation)) norm->is_synchronized = sync_batch_norm;
    plan.operations.push_back({.operation = *operation,
                               .outputs = node.out.size(),
                               .first_tensor = node.first_tensor,
                               .tensors = node.tensors,
                               .first_state = node.first_state,
                               .states = node.states,
                               .trains = trains(network, node)});
  }
  fuse_relu_into_pooling(plan.operations);
  fuse_relu(plan.operations);
  connect_values(plan);
  return plan;
}

}  // namespace warpfit
