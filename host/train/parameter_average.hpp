// An average of the parameters over a run, which stands in for them where the model is tested and saved.
#pragma once

#include <memory>

#include "host/backend/backend.hpp"
#include "host/backend/buffer.hpp"
#include "host/model/network.hpp"
#include "host/train/train_options.hpp"
#include "host/train/training_state.hpp"

namespace warpfit {

class ParameterAverage {
 public:
  /// Both must outlive it. Takes no memory where the options ask for no average.
  ParameterAverage(Backend& backend, Network& network, const TrainOptions& options);

  /// To be called inside a step, after its update, where is_of_steps(): the average takes in the parameters.
  void add() const;
  /// Likewise after an epoch's last step, outside of it: with --swa-start from that epoch on.
  void epoch_ended(std::int64_t epoch);
  /// Whether the average is of the parameters after each step (--ema).
  [[nodiscard]] bool is_of_steps() const { return decay_ > 0; }

  /// The average, if there is one, replaces the network's parameters until take_back(). No step may train
  /// meanwhile.
  void put_in_place();
  void take_back();

  /// Into and out of what it has of a run's state. Errors: ModelError where that is of other options.
  void save(TrainingState& state) const;
  void restore(const TrainingState& state);

 private:
  [[nodiscard]] std::int64_t models() const;

  Backend& backend_;
  Network& network_;
  double decay_;
  std::int64_t swa_start_;
  Buffer<float> averages_;  // empty where none is kept
  Buffer<AverageProgress> progress_;
  std::unique_ptr<RecordedStep> add_, swap_;
  bool is_in_place_ = false;
};

}  // namespace warpfit
