#include "host/report/summary.hpp"

#include <fmt/core.h>

namespace warpfit {

void Summary::run_started(const RunStart&) { started_ = std::chrono::steady_clock::now(); }

void Summary::epoch_ended(const EpochReport& report) {
  has_validation_ = report.validation.has_value();
  const double accuracy = (has_validation_ ? *report.validation : report.test).accuracy();
  if (accuracy > best_accuracy_) {
    best_accuracy_ = accuracy;
    best_epoch_ = report.epoch;
  }
  ++epochs_;
  trained_ += report.trained;
  training_seconds_ += report.training_seconds;
  seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
}

std::string Summary::text() const {
  if (epochs_ == 0) return "";
  return fmt::format(
      "best {} accuracy {:.1f}% in epoch {}; {} epoch{} in {:.3g} s, {:.0f} training samples/s",
      has_validation_ ? "validation" : "test", 100 * best_accuracy_, best_epoch_, epochs_,
      epochs_ == 1 ? "" : "s", seconds_, static_cast<double>(trained_) / training_seconds_);
}

}  // namespace warpfit
