// The tutorial's loop: epochs of training, each followed by an evaluation.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/model/network.hpp"
#include "host/optim/schedule.hpp"
#include "host/report/report.hpp"
#include "host/stream/batch_stream.hpp"
#include "host/train/evaluation.hpp"
#include "host/train/pace.hpp"
#include "host/train/train_options.hpp"
#include "host/train/training_data.hpp"
#include "host/train/training_state.hpp"
#include "host/train/training_steps.hpp"

namespace warpfit {

/// Why a training run ended.
enum class StopReason {
  kCompleted,      ///< all epochs were trained
  kNoImprovement,  ///< no improvement for as many epochs as the option patience specifies
  kInterrupted     ///< TrainerHooks::should_stop requested it
};

/// What others have to do with a run; each may be left out.
struct TrainerHooks {
  std::function<bool()> should_stop = {};  ///< asked several times a second: whether to end now
  std::int64_t save_every_steps = 0;       ///< 0 for not at all
  std::int64_t save_every_epochs = 0;
  /// Called when that many were trained, and when a run ends before its time.
  std::function<void(TrainingState)> save = {};
  /// Called after an epoch that is the best so far, by the validation set or else the test set.
  std::function<void(std::span<const float> parameters, std::span<const float> state)> improved = {};
};

class Trainer {
 public:
  /// Errors: UsageError where the fused engine was asked for and cannot do it.
  /// All references must outlive the trainer. `generator` has just given the initial parameters: it goes on
  /// with the orders of the epochs, as PyTorch's does.
  Trainer(Backend& backend, Network& network, const TrainingData& data, const TrainOptions& options,
          TorchGenerator generator, Report& report, TrainerHooks hooks = {});

  /// Goes on from there, before run(). Errors: ModelError where it is of another network, optimizer or batch
  /// size.
  void restore(const TrainingState& state);

  /// Which engine trains, for people: "fused", or "layers (fused: dropout is not supported)".
  [[nodiscard]] const std::string& engine() const { return engine_; }

  /// Trains the epochs that are left. Errors: DivergedError if a loss is not finite, in training or in an
  /// evaluation, or a parameter is not finite when a checkpoint or the best model is due; what data and
  /// device throw.
  StopReason run();

  /// The model's parameters, in the order of the network's layout: with --ema or --swa-start their average.
  /// Errors: DivergedError if one is not finite: no file gets such parameters.
  [[nodiscard]] std::vector<float> parameters();
  /// The state that goes with them, such as running statistics.
  [[nodiscard]] std::vector<float> network_state() const { return network_.state().to_host(); }

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] bool compile(std::string& reason);
  bool run_epoch();
  bool end_epoch(const Metrics& training);
  bool evaluate(EpochReport& report);
  void update_best(const EpochReport& report);
  bool train_epoch();
  void upload_rates();
  bool train_batches(const SampleView& samples, std::int64_t first, std::int64_t batches, std::int64_t rows);
  void report_losses(std::int64_t count);
  void report_loss(std::int64_t batch, float loss);
  [[nodiscard]] StopReason end_early(StopReason stop_reason) const;
  [[nodiscard]] bool should_stop() const { return hooks_.should_stop && hooks_.should_stop(); }
  [[nodiscard]] TrainingState state() const;
  [[nodiscard]] std::vector<float> finite_parameters() const;
  [[nodiscard]] Metrics checked_metrics() const;
  void check(const Metrics& metrics) const;
  std::optional<Result> evaluate(Evaluation& evaluation, std::string_view set);
  [[noreturn]] void fail_diverged(const std::string& what) const;
  [[nodiscard]] std::int64_t batches_per_epoch() const;
  /// Steps trained so far.
  [[nodiscard]] std::int64_t step() const { return (epoch_ - 1) * batches_per_epoch() + batch_; }

  Backend& backend_;
  Network& network_;
  TrainOptions options_;
  std::int64_t samples_;  // of an epoch
  Report& report_;
  TrainerHooks hooks_;
  TorchGenerator generator_;
  TorchGenerator epochs_generator_;  // as it was when the epoch began
  Schedule schedule_;
  Buffer<float> rates_;  // of the epoch's batches
  Workspace workspace_;
  std::vector<StreamPlan> plans_;  // for training, test and validation
  TrainingSteps training_;
  Pace pace_;
  BatchStream training_stream_;
  std::optional<Evaluation> validation_;
  Evaluation test_;
  std::string engine_;
  Clock::time_point training_started_;  // in this epoch
  std::int64_t first_trained_ = 0;      // batch of this epoch
  std::int64_t epoch_ = 1;              // that is trained, from 1
  std::int64_t batch_ = 0;              // of it, that is trained next
  Best best_;
};

}  // namespace warpfit
