#include "host/report/console.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "host/base/error.hpp"
#include "host/report/log.hpp"

namespace warpfit {

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw IoError(fmt::format("standard output: cannot write: {}", std::generic_category().message(errno)));
  }
}

void Console::epoch_started(std::int64_t epoch) {
  print(fmt::format("Epoch {}\n-------------------------------\n", epoch));
}

void Console::loss(const LossReport& report) {
  print(fmt::format("loss: {:>7f}  [{:>5}/{:>5}]\n", report.loss, report.seen, report.samples));
}

void Console::epoch_ended(const EpochReport& report) {
  const double share = static_cast<double>(report.correct) / static_cast<double>(report.test_samples);
  print(
      fmt::format("Test Error: \n Accuracy: {:.1f}%, Avg loss: {:>8f} \n\n", 100 * share, report.test_loss));
  log_info(fmt::format("epoch {}: train {:.3f} s, test {:.3f} s, {:.0f} samples/s", report.epoch,
                       report.training_seconds, report.test_seconds,
                       static_cast<double>(report.training_samples) / report.training_seconds));
}

void Console::done() { print("Done!\n"); }

}  // namespace warpfit
