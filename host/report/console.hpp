// Prints to standard output exactly what PyTorch's tutorial "Optimizing Model Parameters" prints.
#pragma once

#include <string>
#include <string_view>

#include "host/report/report.hpp"

namespace warpfit {

/// Writes text to standard output and flushes it. Errors: IoError if that fails.
void print(std::string_view text);

/// Prints the tutorial's text to standard output and times to the log. If writing to standard output fails,
/// nothing more is printed and failure() returns the reason, so that the run can be saved before it ends.
class Console final : public Report {
 public:
  void epoch_started(std::int64_t epoch) override;
  void loss(const LossReport& report) override;
  void epoch_ended(const EpochReport& report) override;
  void done() override;

  /// The message of the error; empty if there was none.
  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  void print(std::string_view text);
  void print_result(std::string_view of, const Result& result);

  std::string failure_;
};

}  // namespace warpfit
