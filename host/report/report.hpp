// What training tells, to whoever shows or keeps it.
#pragma once

#include <cstdint>

namespace warpfit {

struct LossReport {
  float loss = 0;            ///< mean over the batch
  std::int64_t seen = 0;     ///< samples of this epoch trained before the batch
  std::int64_t samples = 0;  ///< samples of an epoch
};

struct EpochReport {
  std::int64_t epoch = 0;  ///< from 1
  double test_loss = 0;    ///< mean over the test batches of their mean loss
  std::int64_t correct = 0;
  std::int64_t test_samples = 0;
  std::int64_t training_samples = 0;
  double training_seconds = 0;
  double test_seconds = 0;
};

class Report {
 public:
  Report() = default;
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;
  virtual ~Report() = default;

  virtual void epoch_started(std::int64_t epoch) = 0;
  virtual void loss(const LossReport& report) = 0;
  virtual void epoch_ended(const EpochReport& report) = 0;
  virtual void done() = 0;
};

}  // namespace warpfit
