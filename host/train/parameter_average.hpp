// An average of the parameters over a run, which replaces them for tests and saved models.
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
  /// Both references must outlive it. It allocates no memory if the options specify no average.
  ParameterAverage(Backend& backend, Network& network, const TrainOptions& options);

  /// Updates the average with the parameters. To be called in a step, after its update, if is_of_steps().
  void add() const;
  /// To be called after the last step of an epoch, outside of a step. With --swa-start, updates the average
  /// from that epoch on.
  void epoch_ended(std::int64_t epoch);
  /// Whether the parameters are averaged after each step (--ema).
  [[nodiscard]] bool is_of_steps() const { return decay_ > 0; }

  /// The average, if there is one, replaces the parameters of the network until take_back(). No training step
  /// may run in between.
  void put_in_place();
  void take_back();

  /// Stores its part of the state of a run, or restores it. Errors: ModelError if the state is of a run with
  /// other options.
  void save(TrainingState& state) const;
  void restore(const TrainingState& state);

 private:
  [[nodiscard]] std::int64_t models() const;

  Backend& backend_;
  Network& network_;
  double decay_;
  std::int64_t swa_start_;
  Buffer<float> averages_;  // empty if there is no average
  Buffer<AverageProgress> progress_;
  std::unique_ptr<RecordedStep> add_, swap_;
  bool is_in_place_ = false;
};

}  // namespace warpfit
