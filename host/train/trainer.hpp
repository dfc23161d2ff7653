// The training loop of PyTorch's tutorial: epochs of training, each followed by an evaluation.
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
#include "host/parallel/agreement.hpp"
#include "host/report/report.hpp"
#include "host/stream/batch_stream.hpp"
#include "host/train/batch_share.hpp"
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

/// Functions that a trainer calls; each may be empty. Of several ranks, all must have the same intervals, and
/// `save` or none; should_stop() on one of them ends all.
struct TrainerHooks {
  std::function<bool()> should_stop = {};  ///< called several times per second: whether to end now
  std::int64_t save_every_steps = 0;       ///< 0 for never
  std::int64_t save_every_epochs = 0;
  /// Called after this many steps or epochs, and when a run ends early.
  std::function<void(TrainingState)> save = {};
  /// Called after an epoch that is the best so far on the validation set, or on the test set if there is
  /// none.
  std::function<void(std::span<const float> parameters, std::span<const float> state)> improved = {};
};

/// If the backend has several ranks, all of them train together, and call the same functions in the same
/// order with trainers of the same arguments. Each has all data sets and uses its part of them. The reports
/// are of all ranks together and the same on each.
class Trainer {
 public:
  /// Errors: UsageError if the fused engine was requested and is not supported.
  /// All references must outlive the trainer. `generator` has already drawn the initial parameters; the
  /// orders of the epochs are its next draws, as in PyTorch.
  Trainer(Backend& backend, Network& network, const TrainingData& data, const TrainOptions& options,
          TorchGenerator generator, Report& report, TrainerHooks hooks = {});

  /// Continues from this state; to be called before run(). Errors: ModelError if the state is of another
  /// network, optimizer or batch size.
  void restore(const TrainingState& state);

  /// The engine in use, as text: "fused", or "layers (fused: dropout is not supported)".
  [[nodiscard]] const std::string& engine() const { return engine_; }

  /// The best epoch so far, those before restore() included.
  [[nodiscard]] const Best& best() const { return best_; }

  /// Trains the remaining epochs. Errors: DivergedError if a training or evaluation loss is not finite, or if
  /// a parameter is not finite when a checkpoint or the best model is saved; errors of the data and the
  /// device.
  StopReason run();

  /// The parameters of the model in the order of the network's layout; with --ema or --swa-start, their
  /// average. Errors: DivergedError if one is not finite, so that no file contains such parameters.
  [[nodiscard]] std::vector<float> parameters();
  /// The state that goes with them, such as running statistics.
  /// Errors: DivergedError likewise; the bits of counters are those of finite floats.
  [[nodiscard]] std::vector<float> network_state() const {
    return finite(network_.state(), "running statistic");
  }

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] bool compile(std::string& reason);
  bool run_epoch();  ///< false if it was stopped before the end of the epoch
  bool end_epoch(const Metrics& training);
  bool evaluate(EpochReport& report);  ///< false if it was stopped
  void update_best(const EpochReport& report);
  bool train_epoch();
  void upload_rates();
  void synchronize_state();
  /// The size of the epoch's batch `batch`.
  [[nodiscard]] std::int64_t rows_of(std::int64_t batch) const;
  bool train_batches(const SampleView& samples, std::int64_t first, std::int64_t batches);
  void report_losses(std::int64_t count);
  void report_loss(std::int64_t batch, float loss);
  [[nodiscard]] StopReason end_early(StopReason stop_reason) const;
  /// Whether any rank is to stop; collective.
  [[nodiscard]] bool should_stop() const {
    return any_rank(communicator_, hooks_.should_stop && hooks_.should_stop());
  }
  [[nodiscard]] TrainingState state() const;
  [[nodiscard]] std::vector<float> finite_parameters() const {
    return finite(network_.parameters(), "parameter");
  }
  [[nodiscard]] std::vector<float> finite(const Buffer<float>& values, std::string_view what) const;
  [[nodiscard]] Metrics checked_metrics() const;
  void check(const Metrics& metrics) const;
  /// Returns nothing if it was stopped.
  std::optional<Result> evaluate(Evaluation& evaluation, std::string_view set);
  [[noreturn]] void fail_diverged(const std::string& what) const;
  [[nodiscard]] std::int64_t batches_per_epoch() const;
  /// Number of steps trained so far.
  [[nodiscard]] std::int64_t step() const { return (epoch_ - 1) * batches_per_epoch() + batch_; }

  Backend& backend_;
  Communicator& communicator_;
  Network& network_;
  BatchShare share_;
  TrainOptions options_;
  Subset training_set_;
  std::int64_t samples_;  // per epoch
  Report& report_;
  TrainerHooks hooks_;
  TorchGenerator generator_;
  TorchGenerator epochs_generator_;  // state at the beginning of the epoch
  Schedule schedule_;
  Buffer<float> rates_;           // learning rates of the epoch's batches
  Buffer<double> loss_divisors_;  // likewise; empty if this rank computes whole batches
  Workspace workspace_;
  std::vector<StreamPlan> plans_;  // for training, test and validation
  TrainingSteps training_;
  Pace pace_;
  BatchStream training_stream_;
  std::optional<Evaluation> validation_;
  Evaluation test_;
  std::string engine_;
  Clock::time_point training_started_;  // in the current epoch
  std::int64_t first_trained_ = 0;      // first batch of this epoch that this process trained
  std::int64_t epoch_ = 1;              // current epoch, from 1
  std::int64_t batch_ = 0;              // next batch of the epoch
  Best best_;
};

}  // namespace warpfit
