// What a network makes of a set of samples.
#pragma once

#include <cstdint>

#include "host/report/report.hpp"
#include "host/stream/batch_stream.hpp"
#include "host/train/step.hpp"

namespace warpfit {

class Evaluation {
 public:
  /// All references must outlive it; the workspace takes batches of that size.
  Evaluation(Backend& backend, const Network& network, const Workspace& workspace, const Loss& loss,
             const Subset& samples, std::int64_t batch_size, const StreamPlan& plan);

  /// As StepRunner::fuse().
  bool fuse(const WholeStep& step, std::string& reason) { return runner_.fuse(step, reason); }

  /// A pass over the samples, with the draw that PyTorch's DataLoader takes from the generator for it.
  Result run(TorchGenerator& generator);

 private:
  std::int64_t size_;
  std::int64_t batch_size_;
  StepRunner runner_;
  BatchStream stream_;
};

}  // namespace warpfit
