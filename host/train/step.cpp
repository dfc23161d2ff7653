#include "host/train/step.hpp"

namespace warpfit {
namespace {

void forward(Backend& backend, const Network& network, const BatchViews& batch) {
  backend.load_batch(batch.x.front(), batch.labels);
  const auto& layers = network.layers();
  for (std::size_t l = 0; l < layers.size(); ++l) {
    backend.linear_forward(batch.x[l], layers[l].w, layers[l].b, layers[l].activation, batch.x[l + 1]);
  }
}

std::vector<Matrix> matrices(const std::vector<Buffer<float>>& buffers, std::span<const std::int64_t> widths,
                             std::int64_t rows) {
  std::vector<Matrix> views;
  for (std::size_t i = 0; i < buffers.size(); ++i) views.push_back({buffers[i].data(), rows, widths[i]});
  return views;
}

}  // namespace

void train_step(Backend& backend, const Network& network, const BatchViews& batch, Metrics* metrics) {
  forward(backend, network, batch);
  backend.softmax_cross_entropy(batch.x.back(), batch.labels, batch.dy.back(), metrics);
  const auto& layers = network.layers();
  for (std::size_t l = layers.size(); l-- > 0;) {
    // The gradient of the input goes first: the update changes the weights that it needs.
    if (l > 0) {
      backend.linear_backward_input(batch.dy[l], layers[l].w, batch.x[l], layers[l - 1].activation,
                                    batch.dy[l - 1]);
    }
    backend.linear_backward_sgd(batch.x[l], batch.dy[l], layers[l].w, layers[l].b);
  }
}

void evaluation_step(Backend& backend, const Network& network, const BatchViews& batch, Metrics* metrics) {
  forward(backend, network, batch);
  backend.softmax_cross_entropy(batch.x.back(), batch.labels, Matrix{}, metrics);
}

Workspace::Workspace(Backend& backend, const NetworkSpec& spec, std::int64_t most_rows)
    : widths_(spec.widths), labels_(backend, static_cast<std::size_t>(most_rows)) {
  for (std::size_t i = 0; i < widths_.size(); ++i) {
    const auto size = static_cast<std::size_t>(most_rows * widths_[i]);
    x_.emplace_back(backend, size);
    if (i > 0) dy_.emplace_back(backend, size);
  }
}

BatchViews Workspace::views(std::int64_t rows) const {
  const std::span<const std::int64_t> widths(widths_);
  return {matrices(x_, widths, rows), matrices(dy_, widths.subspan(1), rows),
          labels_.view(static_cast<std::size_t>(rows))};
}

StepRunner::StepRunner(Backend& backend, const Network& network, const Workspace& workspace, Step step)
    : backend_(backend), network_(network), workspace_(workspace), step_(step), metrics_(backend, 1) {
  clear_metrics();
}

void StepRunner::run(const BatchRun& run) {
  auto& recorded = recorded_[run.rows];
  if (!recorded) {
    recorded = backend_.record(
        [this, batch = workspace_.views(run.rows)] { step_(backend_, network_, batch, metrics_.data()); });
  }
  recorded->run(run);
}

void StepRunner::clear_metrics() { metrics_.upload(std::vector<Metrics>(1)); }

Metrics StepRunner::read_metrics() const { return metrics_.to_host().front(); }

}  // namespace warpfit
