#include "host/train/evaluation.hpp"

#include <algorithm>

#include "host/parallel/agreement.hpp"
#include "host/train/rank_metrics.hpp"

namespace warpfit {

Evaluation::Evaluation(Backend& backend, const Workspace& workspace, const Loss& loss, const Subset& samples,
                       std::int64_t batch_size, const StreamPlan& plan, const PixelTransform& input)
    : communicator_(backend.communicator()),
      input_(input),
      size_(samples.size()),
      batch_size_(batch_size),
      batches_(evaluated_batches(communicator_, samples, batch_size)),
      runner_(backend, workspace, loss,
              [this, &backend](const Batch& batch, Metrics* metrics) {
                evaluation_step(backend, batch, metrics, input_);
              }),
      stream_(backend, evaluated_part(communicator_, samples, batch_size), plan) {}

std::optional<Result> Evaluation::run(TorchGenerator& generator, const std::function<bool()>& should_stop) {
  stream_.start(SampleOrder::of_pass(size_, false, generator));
  runner_.clear_metrics();
  Position position;
  for (std::int64_t done = 0; done < batches_;) {
    if (any_rank(communicator_, should_stop && should_stop())) return std::nullopt;
    const auto count = pace_.next(batches_ - done);
    run_batches(position, count);
    done += count;
    if (!pace_.is_cut()) continue;
    runner_.wait();
    pace_.finished(communicator_);
  }
  return result_of(metrics_of_batches(communicator_, runner_.read_metrics()), size_);
}

void Evaluation::run_batches(Position& position, std::int64_t count) {
  while (count > 0) {
    while (!position.chunk || position.sample == position.chunk->samples().count) {
      position.chunk.reset();
      auto next = stream_.next();
      if (!next) return;
      position.chunk.emplace(std::move(*next));
      position.sample = 0;
    }
    const auto& samples = position.chunk->samples();
    const auto left = samples.count - position.sample;
    const auto batches = std::clamp<std::int64_t>(left / batch_size_, 1, count);
    const auto rows = std::min(left, batch_size_);  // fewer only in the last batch
    runner_.run({samples, position.sample, batches, rows});
    position.sample += batches * rows;
    count -= batches;
  }
}

}  // namespace warpfit
