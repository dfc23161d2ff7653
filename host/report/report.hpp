// The interface through which training reports its progress.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "host/model/network_plan.hpp"

namespace warpfit {

/// The result of evaluating a network on a set of samples.
struct Result {
  double loss = 0;  ///< mean over the batches of their mean losses
  std::int64_t correct = 0;
  std::int64_t samples = 0;

  [[nodiscard]] double accuracy() const {
    return static_cast<double>(correct) / static_cast<double>(samples);
  }
};

/// The report of one training batch.
struct LossReport {
  float loss = 0;                      ///< mean over the batch
  std::int64_t seen = 0;               ///< samples of this epoch trained before the batch
  std::int64_t samples = 0;            ///< samples of an epoch
  std::int64_t epoch = 0;              ///< counted from 1
  std::int64_t step = 0;               ///< of the run, including this batch
  double learning_rate = 0;            ///< of the batch
  std::optional<float> gradient_norm;  ///< 2-norm before clipping, if it was measured
  double seconds = 0;                  ///< of training in this epoch by this process, until the loss was read
  std::int64_t trained = 0;            ///< samples trained in this time
};

struct EpochReport {
  std::int64_t epoch = 0;    ///< counted from 1
  std::int64_t step = 0;     ///< of the run, at the end of the epoch
  double learning_rate = 0;  ///< of the last batch
  Result training;           ///< each batch before its own update
  std::optional<Result> validation;
  Result test;
  double training_seconds = 0;  ///< by this process
  std::int64_t trained = 0;     ///< samples trained in this time
  double evaluation_seconds = 0;
};

/// A run that is about to start training, new or resumed.
struct RunStart {
  const NetworkPlan& plan;
  std::string data;         ///< "60000 training and 10000 test samples of 28x28"
  std::string device;       ///< description of the device
  std::string options;      ///< in the format of config.toml
  std::int64_t epochs = 0;  ///< of the whole run
};

class Report {
 public:
  Report() = default;
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;
  virtual ~Report() = default;

  virtual void run_started(const RunStart& /*run*/) {}
  virtual void epoch_started(std::int64_t /*epoch*/) {}
  virtual void loss(const LossReport& /*report*/) {}
  virtual void epoch_ended(const EpochReport& /*report*/) {}
  virtual void done() {}
};

}  // namespace warpfit
