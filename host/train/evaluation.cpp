#include "host/train/evaluation.hpp"

namespace warpfit {

Evaluation::Evaluation(Backend& backend, const Network& network, const Workspace& workspace, const Loss& loss,
                       const Subset& samples, std::int64_t batch_size, const StreamPlan& plan)
    : size_(samples.size()),
      batch_size_(batch_size),
      runner_(backend, workspace,
              [&backend, &network, loss](const BatchViews& batch, Metrics* metrics) {
                evaluation_step(backend, network, batch, loss, metrics);
              }),
      stream_(backend, samples, plan) {}

Result Evaluation::run(TorchGenerator& generator) {
  stream_.start(SampleOrder::of_pass(size_, false, generator));
  runner_.clear_metrics();
  while (const auto chunk = stream_.next()) {
    const auto& samples = chunk->samples();
    const std::int64_t full = samples.count / batch_size_;
    if (full > 0) runner_.run({samples, 0, full, batch_size_});
    const std::int64_t left = samples.count - full * batch_size_;
    if (left > 0) runner_.run({samples, samples.count - left, 1, left});
  }
  return result_of(runner_.read_metrics(), size_);
}

}  // namespace warpfit
