#include "host/report/summary.hpp"

#include <fmt/core.h>

namespace warpfit {
namespace {

std::string loss_text(double loss) { return fmt::format("loss {:f}", loss); }
std::string accuracy_text(double accuracy) { return fmt::format("accuracy {:.1f}%", 100 * accuracy); }

}  // namespace

void Summary::run_started(const RunStart&) { started_ = std::chrono::steady_clock::now(); }

void Summary::epoch_ended(const EpochReport& report) {
  results_[report.epoch] = report.validation ? *report.validation : report.test;
  trained_ += report.trained;
  training_seconds_ += report.training_seconds;
  seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
}

std::string Summary::text(const BestEpoch& best) const {
  if (best.epoch == 0) return "";
  std::string values = best.is_accuracy ? accuracy_text(best.value) : loss_text(best.value);
  if (const auto found = results_.find(best.epoch); found != results_.end())
    values = fmt::format("{}, {}", loss_text(found->second.loss), accuracy_text(found->second.accuracy()));
  const auto text = fmt::format("best epoch by {} {}: {} ({})", best.is_validation ? "validation" : "test",
                                best.is_accuracy ? "accuracy" : "loss", best.epoch, values);
  if (results_.empty()) return text;
  return fmt::format("{}; {} epoch{} in {:.3g} s, {:.0f} training samples/s", text, results_.size(),
                     results_.size() == 1 ? "" : "s", seconds_,
                     static_cast<double>(trained_) / training_seconds_);
}

}  // namespace warpfit
