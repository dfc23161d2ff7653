#include "host/train/workspace.hpp"

#include "host/train/operation_plan.hpp"

namespace warpfit {
namespace {

// Whether ranks without rows take part in the operation.
bool is_collective(const Operation& operation) {
  const auto* norm = std::get_if<BatchNormOperation>(&operation);
  return norm != nullptr && norm->is_synchronized;
}

// An operation of a batch without rows.
class NoRowsOp final : public LayerOp {
 public:
  void forward(Mode, const OperationViews&) override {}
  void backward_input(const OperationViews&) override {}
};

}  // namespace

Workspace::Workspace(Backend& backend, const Network& network, const WorkspaceOptions& options)
    : backend_(backend),
      network_(network),
      plan_(plan_operations(network.plan(), options.dropout_seed, options.sync_batch_norm)),
      max_batch_size_(options.max_batch_size),
      labels_(backend, static_cast<std::size_t>(options.max_batch_size)) {
  for (std::size_t i = 0; i < plan_.widths.size(); ++i) {
    const auto size = static_cast<std::size_t>(options.max_batch_size * plan_.widths[i]);
    const auto buffer = [&](bool is_own) { return is_own ? Buffer<float>(backend, size) : Buffer<float>(); };
    values_.push_back(buffer(plan_.memory[i] == i));
    gradients_.push_back(buffer(i > 0 && plan_.gradient_memory[i] == i));
  }
  // Initialized with zeros, because the gaps between the gradients of the tensors, and the gradients of
  // frozen tensors, are never written: they do not change the norm.
  if (options.keeps_gradients) parameter_gradients_ = {backend, std::vector<float>(network.plan().floats)};
}

Matrix Workspace::value(std::size_t at, std::int64_t rows) const {
  return {values_[plan_.memory[at]].data(), rows, plan_.widths[at]};
}

Matrix Workspace::gradient(std::size_t at, std::int64_t rows) const {
  return {gradients_[plan_.gradient_memory[at]].data(), rows, plan_.widths[at]};
}

Matrix Workspace::outputs(std::int64_t rows) const { return value(values_.size() - 1, rows); }

std::unique_ptr<Batch> Workspace::prepare(std::int64_t rows, const std::optional<Loss>& loss) const {
  auto batch = std::make_unique<Batch>();
  batch->inputs = value(0, rows);
  batch->outputs = outputs(rows);
  batch->doutputs = gradient(gradients_.size() - 1, rows);
  batch->labels = labels_.view(static_cast<std::size_t>(rows));
  batch->gradients = parameter_gradients_.view();
  batch->operations.reserve(plan_.operations.size());  // views refer to its elements
  for (std::size_t i = 0; i < plan_.operations.size(); ++i) {
    const auto& planned = plan_.operations[i];
    auto& operation = batch->operations.emplace_back();
    for (std::size_t t = 0; t < planned.tensors; ++t) {
      const auto& tensor = network_.plan().tensors[planned.first_tensor + t];
      operation.tensors.push_back(tensor.in(network_.parameters().view()));
      if (!batch->gradients.empty())
        operation.gradients.push_back(tensor.requires_grad ? tensor.in(batch->gradients) : Vector());
    }
    for (std::size_t s = 0; s < planned.states; ++s)
      operation.state.push_back(network_.plan().state[planned.first_state + s].in(network_.state().view()));
    const bool computes = rows > 0 || is_collective(planned.operation);
    operation.op = computes ? backend_.prepare(planned.operation, rows) : std::make_unique<NoRowsOp>();
    const bool is_fork = std::holds_alternative<ForkOperation>(planned.operation);
    operation.views = {.x = value(planned.x, rows),
                       .y = value(planned.y, rows),
                       .dy = gradient(planned.y, rows),
                       .dx = gradient(planned.x, rows),
                       .other = is_fork ? gradient(planned.other, rows) : value(planned.other, rows),
                       .tensors = operation.tensors,
                       .gradients = operation.gradients,
                       .state = operation.state};
    operation.trains = planned.trains;
    operation.has_input_gradient = planned.has_input_gradient;
  }
  if (loss) batch->loss = backend_.prepare(*loss, batch->outputs.cols, rows);
  return batch;
}

}  // namespace warpfit
