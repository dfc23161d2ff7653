#include "cuda/recorded_step.hpp"

#include "cuda/position.hpp"

namespace warpfit {
namespace {

// Number of steps in the long graph: enough that its launch costs little compared with its work.
constexpr std::int64_t kStepsPerGraph = 16;

}  // namespace

void CudaRecordedStep::step() {
  step_();
  backend_.join();  // a step ends as one
}

void CudaRecordedStep::record(std::optional<Graph>& graph, std::int64_t steps) {
  if (graph) return;
  const ProfileRange range(backend_, "recording", steps);
  graph.emplace(backend_.compute().get(), [&] {
    for (std::int64_t i = 0; i < steps; ++i) step();
  });
}

void CudaRecordedStep::run(const BatchRun& run) try {
  Position position;
  position.samples = run.samples;
  position.sample = run.first;
  position.rates = run.rates;
  position.first_step = position.step = run.step;
  position.epoch = run.epoch;
  position.rate = run.rate;
  position.first_row = run.first_row;
  position.loss_divisors = run.loss_divisors;
  position.loss_divisor = run.loss_divisor;
  position.negative_rate = -run.rate;
  const auto stream = backend_.compute().get();
  backend_.join();  // a step that failed may have left branches, which no recording can join
  set_position(backend_.position(), position, stream);

  std::int64_t left = run.batches;
  // The very first batch is not captured: libraries load their kernels at the first call, which is not
  // allowed during capture.
  if (!warm_ && left > 0) {
    step();
    warm_ = true;
    --left;
  }
  while (left >= kStepsPerGraph) {
    record(many_, kStepsPerGraph);
    many_->launch(stream);
    left -= kStepsPerGraph;
  }
  while (left > 0) {
    record(one_, 1);
    one_->launch(stream);
    --left;
  }
} catch (...) {
  backend_.abandon_sums();
  throw;
}

}  // namespace warpfit
