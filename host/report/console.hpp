// Standard output as PyTorch's tutorial "Optimizing Model Parameters" prints it, to the letter.
#pragma once

#include <string_view>

#include "host/report/report.hpp"

namespace warpfit {

/// Writes text to standard output and sees that it went out. Errors: IoError where it did not.
void print(std::string_view text);

/// The tutorial's text on standard output; times go to the log.
class Console final : public Report {
 public:
  void epoch_started(std::int64_t epoch) override;
  void loss(const LossReport& report) override;
  void epoch_ended(const EpochReport& report) override;
  void done() override;
};

}  // namespace warpfit
