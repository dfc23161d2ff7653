#include "host/report/console.hpp"

#include <fmt/core.h>

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

void Console::print(std::string_view text) {
  if (!failure_.empty()) return;
  try {
    warpfit::print(text);
  } catch (const IoError& error) {
    failure_ = error.what();
  }
}

void Console::print_result(std::string_view of, const Result& result) {
  print(fmt::format("{} Error: \n Accuracy: {:.1f}%, Avg loss: {:>8f} \n\n", of, 100 * result.accuracy(),
                    result.loss));
}

void Console::epoch_started(std::int64_t epoch) {
  print(fmt::format("Epoch {}\n-------------------------------\n", epoch));
}

void Console::loss(const LossReport& report) {
  print(fmt::format("loss: {:>7f}  [{:>5}/{:>5}]\n", report.loss, report.seen, report.samples));
}

void Console::epoch_ended(const EpochReport& report) {
  if (report.validation) print_result("Validation", *report.validation);
  print_result("Test", report.test);
  log_info(fmt::format("epoch {}: train {:.3f} s, test {:.3f} s, {:.0f} samples/s", report.epoch,
                       report.training_seconds, report.evaluation_seconds,
                       static_cast<double>(report.trained) / report.training_seconds));
}

void Console::done() { print("Done!\n"); }

}  // namespace warpfit
