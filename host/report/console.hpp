// Standard output as PyTorch's tutorial "Optimizing Model Parameters" prints it, to the letter.
#pragma once

#include <string>
#include <string_view>

#include "host/report/report.hpp"

namespace warpfit {

/// Writes text to standard output and sees that it went out. Errors: IoError where it did not.
void print(std::string_view text);

/// The tutorial's text on standard output; times go to the log. If standard output cannot be written, nothing
/// more is printed and failure() says why, so that the run can be saved first.
class Console final : public Report {
 public:
  void epoch_started(std::int64_t epoch) override;
  void loss(const LossReport& report) override;
  void epoch_ended(const EpochReport& report) override;
  void done() override;

  /// The error's message; empty as long as there is none.
  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  void print(std::string_view text);
  void print_result(std::string_view of, const Result& result);

  std::string failure_;
};

}  // namespace warpfit
