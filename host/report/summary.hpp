// The result of a run, logged as one line at its end.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "host/report/report.hpp"

namespace warpfit {

class Summary final : public Report {
 public:
  void run_started(const RunStart& run) override;
  void epoch_ended(const EpochReport& report) override;

  /// "best test accuracy 87.1% in epoch 9; 10 epochs in 12.3 s, 51234 training samples/s"; empty if no epoch
  /// ended.
  [[nodiscard]] std::string text() const;

 private:
  std::chrono::steady_clock::time_point started_{};
  bool has_validation_ = false;
  double best_accuracy_ = -1;
  std::int64_t best_epoch_ = 0, epochs_ = 0, trained_ = 0;
  double training_seconds_ = 0, seconds_ = 0;
};

}  // namespace warpfit
