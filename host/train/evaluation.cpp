#include "host/train/evaluation.hpp"

#include "host/parallel/agreement.hpp"
#include "host/train/rank_metrics.hpp"

namespace warpfit {

Evaluation::Evaluation(Backend& backend, const Workspace& workspace, const Loss& loss, const Subset& samples,
                       std::int64_t batch_size, const StreamPlan& plan, const PixelTransform& input)
    : communicator_(backend.communicator()),
      input_(input),
      size_(samples.size()),
      batch_size_(batch_size),
      runner_(backend, workspace, loss,
              [this, &backend](const Batch& batch, Metrics* metrics) {
                evaluation_step(backend, batch, metrics, input_);
              }),
      stream_(backend, evaluated_part(communicator_, samples, batch_size), plan) {}

std::optional<Result> Evaluation::run(TorchGenerator& generator, const std::function<bool()>& should_stop) {
  stream_.start(SampleOrder::of_pass(size_, false, generator));
  runner_.clear_metrics();
  bool is_whole = true;
  while (is_whole) {
    const auto chunk = stream_.next();
    if (!chunk) break;
    const auto& samples = chunk->samples();
    const std::int64_t full = samples.count / batch_size_;
    is_whole = run_batches(samples, full, should_stop);
    const std::int64_t left = samples.count - full * batch_size_;
    if (is_whole && left > 0) runner_.run({samples, samples.count - left, 1, left});
  }
  if (any_rank(communicator_, !is_whole)) return std::nullopt;
  return result_of(metrics_of_batches(communicator_, runner_.read_metrics()), size_);
}

// Returns false if it was stopped.
bool Evaluation::run_batches(const SampleView& samples, std::int64_t batches,
                             const std::function<bool()>& should_stop) {
  for (std::int64_t done = 0; done < batches;) {
    if (should_stop && should_stop()) return false;
    const std::int64_t count = pace_.next(batches - done);
    runner_.run({samples, done * batch_size_, count, batch_size_});
    done += count;
    if (!pace_.is_cut()) continue;
    runner_.wait();
    pace_.finished();
  }
  return true;
}

}  // namespace warpfit
