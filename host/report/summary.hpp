// The result of a run, logged as one line at its end.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "host/report/report.hpp"

namespace warpfit {

/// The best epoch of a run, that of best.safetensors. If the run was resumed, another process may have
/// trained it.
struct BestEpoch {
  std::int64_t epoch = 0;      ///< from 1; 0 if none was evaluated
  double value = 0;            ///< its loss, or its accuracy, 0 to 1
  bool is_accuracy = false;    ///< which of the two was compared
  bool is_validation = false;  ///< on the validation set; otherwise on the test set
};

class Summary final : public Report {
 public:
  void run_started(const RunStart& run) override;
  void epoch_ended(const EpochReport& report) override;

  /// "best epoch by test loss: 9 (loss 0.401234, accuracy 87.1%); 10 epochs in 12.3 s, 51234 training
  /// samples/s". Of a best epoch that another process has trained, only the value compared is known. The
  /// counts and times are those of this process. Empty if nothing was evaluated.
  [[nodiscard]] std::string text(const BestEpoch& best) const;

 private:
  std::chrono::steady_clock::time_point started_{};
  std::map<std::int64_t, Result> results_;  // of the epochs of this process, by epoch
  std::int64_t trained_ = 0;
  double training_seconds_ = 0, seconds_ = 0;
};

}  // namespace warpfit
