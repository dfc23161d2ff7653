#include "host/train/step.hpp"

#include <limits>

namespace warpfit {
namespace {

void load(Backend& backend, const BatchViews& batch) {
  const ProfileRange range(backend, "upload");
  backend.load_batch(batch.x.front(), batch.labels);
}

// Behind each hidden layer; the values of its output, or their gradient.
void drop_out(Backend& backend, DropoutMask dropout, std::size_t layer, Matrix values) {
  if (dropout.p == 0) return;
  dropout.layer = static_cast<std::uint32_t>(layer);
  backend.dropout(dropout, values);
}

void forward(Backend& backend, const std::vector<LinearViews>& layers, const BatchViews& batch,
             const DropoutMask& dropout = {}) {
  const ProfileRange range(backend, "forward");
  for (std::size_t l = 0; l < layers.size(); ++l) {
    backend.linear_forward(batch.x[l], layers[l].w, layers[l].b, layers[l].activation, batch.x[l + 1]);
    if (l + 1 < layers.size()) drop_out(backend, dropout, l, batch.x[l + 1]);
  }
}

void add_loss(Backend& backend, const BatchViews& batch, const Loss& loss, Matrix doutputs,
              Metrics* metrics) {
  const ProfileRange range(backend, "loss");
  warpfit::add_loss(backend, loss, batch.x.back(), batch.labels, doutputs, metrics);
}

void update(Backend& backend, const LinearViews& layer, ConstMatrix x, ConstMatrix dy) {
  const ProfileRange range(backend, "update");
  backend.linear_backward_sgd(x, dy, layer.w, layer.b);
}

// A layer's update or weight gradient may run beside the input gradients below. It comes behind the layer's
// own input gradient, which needs the weights as they were.
void backward(Backend& backend, const std::vector<LinearViews>& layers, const BatchViews& batch,
              const TrainingRule& rule, Phase last) {
  const ProfileRange range(backend, "backward");
  for (std::size_t l = layers.size(); l-- > 0;) {
    if (l > 0) {
      backend.linear_backward_input(batch.dy[l], layers[l].w, batch.x[l], layers[l - 1].activation,
                                    batch.dy[l - 1]);
      drop_out(backend, rule.dropout, l - 1, batch.dy[l - 1]);
    }
    if (rule.optimizer != nullptr) {
      const LinearViews& gradients = batch.layer_gradients[l];
      backend.linear_backward_weights(batch.x[l], batch.dy[l], gradients.w, gradients.b);
    } else if (last >= Phase::kUpdate) {
      update(backend, layers[l], batch.x[l], batch.dy[l]);
    }
  }
}

void clip(Backend& backend, Vector gradients, const TrainingRule& rule) {
  if (rule.norm != nullptr) {
    const float most = rule.clipping.norm > 0 ? rule.clipping.norm : std::numeric_limits<float>::infinity();
    backend.clip_gradient_norm(most, gradients, rule.norm);
  }
  if (rule.clipping.value > 0) backend.clip_gradient_value(rule.clipping.value, gradients);
}

std::vector<Matrix> matrices(const std::vector<Buffer<float>>& buffers, std::span<const std::int64_t> widths,
                             std::int64_t rows) {
  std::vector<Matrix> views;
  for (std::size_t i = 0; i < buffers.size(); ++i) views.push_back({buffers[i].data(), rows, widths[i]});
  return views;
}

}  // namespace

void train_step(Backend& backend, const Network& network, const BatchViews& batch, const TrainingRule& rule,
                Metrics* metrics, Phase last) {
  const ProfileRange range(backend, "step");
  load(backend, batch);
  if (last >= Phase::kForward) forward(backend, network.layers(), batch, rule.dropout);
  if (last >= Phase::kLoss) add_loss(backend, batch, rule.loss, batch.dy.back(), metrics);
  if (last >= Phase::kBackward) backward(backend, network.layers(), batch, rule, last);
  if (last < Phase::kUpdate || rule.optimizer == nullptr) return;
  const ProfileRange update(backend, "update");
  clip(backend, batch.gradients, rule);
  rule.optimizer->update(network.parameters().view(), batch.gradients);
}

void inference_step(Backend& backend, const Network& network, const BatchViews& batch) {
  load(backend, batch);
  forward(backend, network.layers(), batch);
}

void evaluation_step(Backend& backend, const Network& network, const BatchViews& batch, const Loss& loss,
                     Metrics* metrics) {
  const ProfileRange range(backend, "step");
  inference_step(backend, network, batch);
  add_loss(backend, batch, loss, Matrix{}, metrics);
}

Workspace::Workspace(Backend& backend, const Network& network, std::int64_t most_rows, bool with_gradients)
    : plan_(network.plan()), widths_{plan_.inputs()}, labels_(backend, static_cast<std::size_t>(most_rows)) {
  for (const auto& layer : network.layers()) widths_.push_back(layer.w.rows);
  for (std::size_t i = 0; i < widths_.size(); ++i) {
    const auto size = static_cast<std::size_t>(most_rows * widths_[i]);
    x_.emplace_back(backend, size);
    if (i > 0) dy_.emplace_back(backend, size);
  }
  // Zeros, for the gaps between the layers' gradients are never written.
  if (with_gradients) gradients_ = {backend, std::vector<float>(plan_.floats)};
}

BatchViews Workspace::views(std::int64_t rows) const {
  const std::span<const std::int64_t> widths(widths_);
  BatchViews batch{matrices(x_, widths, rows),
                   matrices(dy_, widths.subspan(1), rows),
                   labels_.view(static_cast<std::size_t>(rows)),
                   gradients_.view(),
                   {}};
  if (gradients_.size() > 0) batch.layer_gradients = linear_layers(plan_, gradients_.view());
  return batch;
}

Result result_of(const Metrics& metrics, std::int64_t samples) {
  return {metrics.loss_sum / static_cast<double>(metrics.batches), metrics.correct, samples};
}

StepRunner::StepRunner(Backend& backend, const Workspace& workspace, Step step)
    : backend_(backend), workspace_(workspace), step_(std::move(step)), metrics_(backend, 1) {
  clear_metrics();
}

bool StepRunner::fuse(WholeStep step, std::string& reason) {
  step.metrics = metrics_.data();
  fused_ = backend_.fuse(step, reason);
  return fused_ != nullptr;
}

std::vector<KernelPhase> StepRunner::take_kernel_phases() const {
  return fused_ ? fused_->take_kernel_phases() : std::vector<KernelPhase>();
}

void StepRunner::run(const BatchRun& run) {
  if (fused_) {
    fused_->run(run);
    return;
  }
  auto& recorded = recorded_[run.rows];
  if (!recorded) {
    recorded = backend_.record([this, batch = workspace_.views(run.rows)] { step_(batch, metrics_.data()); });
  }
  recorded->run(run);
}

Metrics StepRunner::read_metrics() const { return metrics_.to_host().front(); }

}  // namespace warpfit
