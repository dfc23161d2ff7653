// Evaluates a network on a set of samples.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "host/report/report.hpp"
#include "host/stream/batch_stream.hpp"
#include "host/train/batch_share.hpp"
#include "host/train/pace.hpp"
#include "host/train/step.hpp"

namespace warpfit {

class Evaluation {
 public:
  /// All references must outlive it; the workspace must support this batch size. Each of the backend's ranks
  /// evaluates its evaluated_part() of the samples, for which the plan must be.
  Evaluation(Backend& backend, const Workspace& workspace, const Loss& loss, const Subset& samples,
             std::int64_t batch_size, const StreamPlan& plan, const PixelTransform& input = {});

  /// See StepRunner::compile().
  bool compile(StepPlan plan, std::string& reason) {
    plan.input = input_;
    return runner_.compile(std::move(plan), reason);
  }

  /// Makes a pass over the samples. It takes one draw from the generator, as PyTorch's DataLoader does.
  /// Returns nothing if `should_stop`, which may be empty, returned true before the end, on any rank. It is
  /// called several times per second, on all ranks after equally many batches. Collective; all ranks get the
  /// same result.
  std::optional<Result> run(TorchGenerator& generator, const std::function<bool()>& should_stop = {});

 private:
  // The next sample of the pass, in its chunk.
  struct Position {
    std::optional<Chunk> chunk;
    std::int64_t sample = 0;
  };

  /// Queues the next `count` batches of this rank, or as many as it has left.
  void run_batches(Position& position, std::int64_t count);

  Communicator& communicator_;
  PixelTransform input_;
  std::int64_t size_;  // of the whole set
  std::int64_t batch_size_;
  std::int64_t batches_;  // of the rank that has most
  StepRunner runner_;
  Pace pace_;
  BatchStream stream_;
};

}  // namespace warpfit
