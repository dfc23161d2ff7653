// The tutorial's loop: epochs of training, each followed by an evaluation.
#pragma once

#include <chrono>
#include <cstdint>

#include "host/backend/backend.hpp"
#include "host/model/network.hpp"
#include "host/optim/schedule.hpp"
#include "host/report/report.hpp"
#include "host/stream/batch_stream.hpp"
#include "host/train/step.hpp"

namespace warpfit {

struct TrainOptions {
  std::int64_t epochs = 10;
  std::int64_t batch_size = 64;
  double learning_rate = 1e-3;
  ScheduleShape schedule = Constant{};
  std::int64_t warmup = 0;  ///< steps
  std::uint64_t seed = 0;
  bool shuffle = false;
  Loss loss = {};
  float dropout = 0;  ///< share of each hidden layer's outputs that a step leaves out
  Clipping clipping = {};
  Optimizer optimizer = Sgd{};
  bool fold_update = true;  ///< plain SGD within the weight gradients' products, or a pass of its own
  Residency residency = Residency::kAuto;
  std::int64_t log_every = 100;  ///< batches between two reported losses
  /// Epochs that a profiler captures, from 1; none where the first is 0.
  std::int64_t first_profiled = 0, last_profiled = 0;
};

class Trainer {
 public:
  /// All references must outlive the trainer. `generator` has just given the initial parameters: it goes on
  /// with the orders of the epochs, as PyTorch's does.
  Trainer(Backend& backend, const Network& network, const Dataset& training_set, const Dataset& test_set,
          const TrainOptions& options, TorchGenerator generator, Report& report);

  /// Trains all epochs. Errors: DivergedError where a loss is not finite; what data and device throw.
  void run();

 private:
  using Clock = std::chrono::steady_clock;

  void run_epoch();
  Metrics train_epoch();
  void upload_rates();
  void train_batches(const SampleView& samples, std::int64_t first, std::int64_t batches, std::int64_t rows);
  [[nodiscard]] TrainingRule training_rule() const;
  [[nodiscard]] Metrics checked_metrics() const;
  void report_loss(std::int64_t batch);
  Result evaluate();
  /// Steps trained so far.
  [[nodiscard]] std::int64_t step() const;
  [[nodiscard]] std::int64_t batches_per_epoch() const;

  Backend& backend_;
  TrainOptions options_;
  const Dataset& training_set_;
  const Dataset& test_set_;
  Report& report_;
  TorchGenerator generator_;
  bool folded_;
  Schedule schedule_;
  OptimizerState optimizer_;
  Buffer<GradientNorm> norm_;  // empty where it is not asked for
  Buffer<float> rates_;        // of the epoch's batches
  Workspace workspace_;
  StepRunner training_;
  StepRunner evaluation_;
  BatchStream training_stream_;
  BatchStream test_stream_;
  Clock::time_point training_started_;  // of this epoch
  std::int64_t epoch_ = 0;              // from 1
  std::int64_t batch_ = 0;              // next batch of the epoch
};

}  // namespace warpfit
