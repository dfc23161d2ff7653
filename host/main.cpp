// warpfit: parse, run, exit code. The only code that catches exceptions.
#include <fmt/core.h>

#include <cstdlib>
#include <exception>
#include <string_view>
#include <variant>

#include "host/base/failure.hpp"
#include "host/cli/bench_command.hpp"
#include "host/cli/devices_command.hpp"
#include "host/cli/eval_command.hpp"
#include "host/cli/export_command.hpp"
#include "host/cli/inspect_command.hpp"
#include "host/cli/parse.hpp"
#include "host/cli/predict_command.hpp"
#include "host/cli/train_command.hpp"
#include "host/report/log.hpp"

namespace {

// Options that the command has and that decide how much memory it takes.
template <class Command>
constexpr std::string_view memory_advice(const Command&) {
  if constexpr (requires(Command command) { command.run.network; }) {
    return "; try a smaller --batch-size or --network";
  } else if constexpr (requires(Command command) { command.batch_size; }) {
    return "; try a smaller --batch-size";
  } else {
    return "";
  }
}

// oneDNN writes what it does to standard output, into the results.
void silence_libraries() {
  for (const char* variable : {"DNNL_VERBOSE", "ONEDNN_VERBOSE"}) unsetenv(variable);
}

}  // namespace

int main(int argc, char** argv) {
  using warpfit::ExitCode;
  std::string_view advice;
  try {
    silence_libraries();
    const auto command = warpfit::parse_command_line(argc, argv);
    const auto run = [&advice](const auto& asked) {
      advice = memory_advice(asked);
      warpfit::run(asked);
    };
    std::visit(run, command);
    return static_cast<int>(ExitCode::kDone);
  } catch (...) {
    const auto failure = warpfit::failure_of(std::current_exception(), advice);
    if (!failure.message.empty()) warpfit::log_error(failure.message);
    return static_cast<int>(failure.code);
  }
}
