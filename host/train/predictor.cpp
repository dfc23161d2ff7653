#include "host/train/predictor.hpp"

#include <algorithm>

namespace warpfit {
namespace {

Step step_of(Backend& backend, const Network& network, const std::optional<Loss>& loss) {
  return [&backend, &network, loss](const BatchViews& batch, Metrics* metrics) {
    if (loss) {
      evaluation_step(backend, network, batch, *loss, metrics);
    } else {
      inference_step(backend, network, batch);
    }
  };
}

}  // namespace

// A single pass: nothing would be won by keeping the samples on the device.
Predictor::Predictor(Backend& backend, const Network& network, const std::optional<Loss>& loss,
                     const Subset& samples, std::int64_t batch_size)
    : backend_(backend),
      batch_size_(std::min(batch_size, samples.size())),
      workspace_(backend, network, batch_size_, false),
      runner_(backend, workspace_, step_of(backend, network, loss)),
      stream_(backend, samples, plan_alone(backend, samples, batch_size_, Residency::kStream)),
      logits_(static_cast<std::size_t>(batch_size_ * network.plan().classes())) {}

Metrics Predictor::run(const Take& take) {
  stream_.start(SampleOrder());
  runner_.clear_metrics();
  while (const auto chunk = stream_.next()) {
    const auto& samples = chunk->samples();
    for (std::int64_t first = 0; first < samples.count; first += batch_size_) {
      const std::int64_t rows = std::min(batch_size_, samples.count - first);
      runner_.run({samples, first, 1, rows});
      const auto batch = workspace_.views(rows);
      const auto values = batch.x.back().values();
      const auto logits = std::span(logits_).first(values.size());
      backend_.download(values.data(), std::as_writable_bytes(logits));
      take(chunk->first() + first, logits);
    }
  }
  return runner_.read_metrics();
}

}  // namespace warpfit
