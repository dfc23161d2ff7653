#include "host/train/workspace.hpp"

#include "host/train/operation_plan.hpp"

namespace warpfit {

Workspace::Workspace(Backend& backend, const Network& network, const WorkspaceOptions& options)
    : backend_(backend),
      network_(network),
      plan_(plan_operations(network.plan(), options.dropout_seed)),
      max_batch_size_(options.max_batch_size),
      labels_(backend, static_cast<std::size_t>(options.max_batch_size)) {
  for (std::size_t i = 0; i < plan_.widths.size(); ++i) {
    const auto size = static_cast<std::size_t>(options.max_batch_size * plan_.widths[i]);
    values_.emplace_back(backend, size);
    gradients_.emplace_back(i > 0 ? Buffer<float>(backend, size) : Buffer<float>());
  }
  // Initialized with zeros, because the gaps between the gradients of the tensors are never written.
  if (options.keeps_gradients) parameter_gradients_ = {backend, std::vector<float>(network.plan().floats)};
}

Matrix Workspace::value(const std::vector<Buffer<float>>& buffers, std::size_t at, std::int64_t rows) const {
  return {buffers[at].data(), rows, plan_.widths[at]};
}

Matrix Workspace::outputs(std::int64_t rows) const { return value(values_, values_.size() - 1, rows); }

std::unique_ptr<Batch> Workspace::prepare(std::int64_t rows, const std::optional<Loss>& loss) const {
  auto batch = std::make_unique<Batch>();
  batch->inputs = value(values_, 0, rows);
  batch->outputs = outputs(rows);
  batch->doutputs = value(gradients_, gradients_.size() - 1, rows);
  batch->labels = labels_.view(static_cast<std::size_t>(rows));
  batch->gradients = parameter_gradients_.view();
  batch->operations.reserve(plan_.operations.size());  // views refer to its elements
  for (const auto& planned : plan_.operations) {
    auto& operation = batch->operations.emplace_back();
    for (std::size_t i = 0; i < planned.tensors; ++i) {
      const auto& tensor = network_.plan().tensors[planned.first_tensor + i];
      operation.tensors.push_back(tensor.in(network_.parameters().view()));
      if (!batch->gradients.empty()) operation.gradients.push_back(tensor.in(batch->gradients));
    }
    for (std::size_t i = 0; i < planned.states; ++i)
      operation.state.push_back(network_.plan().state[planned.first_state + i].in(network_.state().view()));
    operation.op = backend_.prepare(planned.operation, rows);
    operation.views = {.x = value(values_, planned.x, rows),
                       .y = value(values_, planned.y, rows),
                       .dy = value(gradients_, planned.y, rows),
                       .dx = value(gradients_, planned.x, rows),
                       .tensors = operation.tensors,
                       .gradients = operation.gradients,
                       .state = operation.state};
    operation.has_input_gradient = planned.has_input_gradient;
  }
  if (loss) batch->loss = backend_.prepare(*loss, batch->outputs.cols, rows);
  return batch;
}

}  // namespace warpfit
