// warpfit: parse, run, exit code. The only place that catches.
#include <fmt/format.h>

#include <exception>
#include <new>
#include <variant>

#include "host/base/error.hpp"
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

int fail(warpfit::ExitCode code, const char* message) {
  warpfit::log_error(message);
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
  using warpfit::ExitCode;
  try {
    const auto command = warpfit::parse_command_line(argc, argv);
    std::visit([](const auto& asked) { warpfit::run(asked); }, command);
    return static_cast<int>(ExitCode::kDone);
  } catch (const warpfit::Error& error) {
    return fail(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return fail(ExitCode::kOutOfMemory, "out of memory; try a smaller --batch-size or --network");
  } catch (const std::exception& error) {
    return fail(ExitCode::kInternal, fmt::format("internal error: {}", error.what()).c_str());
  }
}
