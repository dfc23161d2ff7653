// A step captured as a CUDA graph. The batch, its learning rate and its samples are read from the position in
// device memory, so one recording serves all batches of the same size.
#pragma once

#include <functional>
#include <optional>

#include "cuda/cuda_backend.hpp"
#include "cuda/runtime/graph.hpp"

namespace warpfit {

class CudaRecordedStep final : public RecordedStep {
 public:
  CudaRecordedStep(CudaBackend& backend, std::function<void()> step)
      : backend_(backend), step_(std::move(step)) {}
  void run(const BatchRun& run) override;

 private:
  void step();
  void record(std::optional<Graph>& graph, std::int64_t steps);

  CudaBackend& backend_;
  std::function<void()> step_;
  bool warm_ = false;
  std::optional<Graph> one_, many_;  // graphs of one step and of several
};

}  // namespace warpfit
