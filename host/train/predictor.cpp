#include "host/train/predictor.hpp"

#include <algorithm>
#include <utility>

namespace warpfit {
// With a single pass there is no advantage in keeping the samples on the device.
Predictor::Predictor(Backend& backend, const Network& network, const std::optional<Loss>& loss,
                     const Subset& samples, std::int64_t batch_size, std::vector<TestView> views)
    : backend_(backend),
      batch_size_(std::min(batch_size, samples.size())),
      views_(std::move(views)),
      workspace_(backend, network, {.max_batch_size = batch_size_}),
      means_(views_.size() > 1
                 ? Buffer<float>(backend, static_cast<std::size_t>(batch_size_ * network.plan().classes()))
                 : Buffer<float>()),
      runner_(backend, workspace_, loss,
              [this](const Batch& batch, Metrics* metrics) {
                inference_step(backend_, batch, views_, outputs(batch.outputs.rows), metrics);
              }),
      stream_(backend, samples, plan_single_set(backend, samples, batch_size_, Residency::kStream)),
      logits_(static_cast<std::size_t>(batch_size_ * network.plan().classes())) {}

Matrix Predictor::outputs(std::int64_t rows) const {
  const auto outputs = workspace_.outputs(rows);
  return views_.size() > 1 ? Matrix{means_.data(), rows, outputs.cols} : outputs;
}

Metrics Predictor::run(const Take& take) {
  stream_.start(SampleOrder());
  runner_.clear_metrics();
  while (const auto chunk = stream_.next()) {
    const auto& samples = chunk->samples();
    for (std::int64_t first = 0; first < samples.count; first += batch_size_) {
      const std::int64_t rows = std::min(batch_size_, samples.count - first);
      runner_.run({samples, first, 1, rows});
      const auto values = outputs(rows).values();
      const auto logits = std::span(logits_).first(values.size());
      backend_.download(values.data(), std::as_writable_bytes(logits));
      take(chunk->first() + first, logits);
    }
  }
  return runner_.read_metrics();
}

}  // namespace warpfit
