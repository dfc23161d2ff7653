#include "host/run/ranks.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include "host/base/failure.hpp"
#include "host/base/terminal_text.hpp"
#include "host/cpu/processor.hpp"
#include "host/parallel/agreement.hpp"
#include "host/report/log.hpp"
#include "host/run/cuda_library.hpp"

namespace warpfit {
namespace {

// Time for rank 0 to print an error that all ranks have, and to end the others.
constexpr std::chrono::seconds kPatience{5};

// For threads other than the trainer's, for which the log is not made.
void print_error(const std::string& message) {
  const auto line = fmt::format("warpfit [error] {}\n", sanitize_for_terminal(message));
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// The first line that differs, from each text; "nothing" where a text has ended.
std::pair<std::string, std::string> first_difference(const std::string& a, const std::string& b) {
  const auto lines_a = lines_of(a), lines_b = lines_of(b);
  const auto common = std::min(lines_a.size(), lines_b.size());
  std::size_t i = 0;
  while (i < common && lines_a[i] == lines_b[i]) ++i;
  const auto at = [i](const auto& lines) { return i < lines.size() ? "'" + lines[i] + "'" : "nothing"; };
  return {at(lines_a), at(lines_b)};
}

// Processes that may use the same cores of the same machine have the same text.
std::string cores_of_this_process() {
  std::string machine;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), machine);
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) return machine;
  return machine + std::string(reinterpret_cast<const char*>(&cores), sizeof cores);
}

// For --parallel nccl, whose sums take place on GPUs.
void require_gpu(DeviceChoice& choice) {
  if (choice.kind == DeviceChoice::Kind::kCpu)
    throw UsageError("--parallel nccl: NCCL sums gradients on GPUs; leave it out, or --device cpu");
  const auto cuda = find_cuda();
  if (cuda.devices.empty()) {
    throw UsageError(fmt::format("--parallel nccl: {}; leave it out to train without a GPU", cuda.reason));
  }
  choice.kind = DeviceChoice::Kind::kCuda;
}

}  // namespace

Ranks::Ranks(ParallelMode mode) : launch_(find_launch(mode)) {
  if (!is_first()) show_errors_only();
  if (is_alone()) {
    communicator_ = std::make_unique<SingleRank>(mode == ParallelMode::kNccl);
    return;
  }
  communicator_ =
      make_communicator(launch_, WARPFIT_VERSION, [this](const std::string& message, ExitCode code) {
        // A rank that has failed has printed why; one that was killed has not.
        if (code == ExitCode::kRankLost && is_first()) print_error(message + "; all other ranks end");
        std::_Exit(static_cast<int>(code));
      });
  watch_.emplace(*communicator_, [this](int rank, pid_t process) {
    // Usually the launcher, or the rank itself before it ended, ends the others and says why. If not, the
    // first one of the others does.
    std::this_thread::sleep_for(launch_.rank == (rank == 0 ? 1 : 0) ? kPatience : 2 * kPatience);
    print_error(
        fmt::format("rank {} (process {}) has ended unexpectedly; all other ranks end", rank, process));
    communicator_->end_others(ExitCode::kRankLost);
    std::_Exit(static_cast<int>(ExitCode::kRankLost));
  });
}

void Ranks::check_same(std::string_view what, const std::string& value) {
  const auto values = communicator_->gather(value);
  const auto other = std::ranges::find_if(values, [&](const auto& text) { return text != values.front(); });
  if (other == values.end()) return;
  const auto [theirs, first] = first_difference(*other, values.front());
  throw UsageError(fmt::format("rank {} has other {}: {}, but rank 0 has {}", other - values.begin(), what,
                               theirs, first));
}

void Ranks::choose_device(BackendOptions& device, ParallelMode mode, bool ordered_sums) {
  if (device.threads == 0 && ordered_sums) device.threads = 1;
  const bool needs_gpu = mode == ParallelMode::kNccl;
  if (is_alone() && !needs_gpu) return;
  device.communicator = communicator_.get();
  if (is_alone()) return require_gpu(device.device);
  const auto cores = communicator_->gather(cores_of_this_process());
  const auto sharing = std::ranges::count(cores, cores[static_cast<std::size_t>(launch_.rank)]);
  if (device.threads == 0) device.threads = std::max(1, usable_threads() / static_cast<int>(sharing));

  using Kind = DeviceChoice::Kind;
  auto& choice = device.device;
  const int gpus_here = choice.kind == Kind::kCpu ? 0 : static_cast<int>(find_cuda().devices.size());
  // Launchers may also show each process only its own GPU.
  if (choice.any_gpu && gpus_here > 0) choice.index = std::max(0, launch_.local_rank) % gpus_here;
  const bool has_gpu = gpus_here > choice.index;
  const auto gpus = gather_values(*communicator_, static_cast<char>(has_gpu || choice.kind == Kind::kCuda));
  const auto without = std::ranges::find(gpus, 0);
  if (without == gpus.begin() && std::ranges::find(gpus, 1) == gpus.end()) {
    if (needs_gpu) require_gpu(choice);
    choice = {Kind::kCpu};
  } else if (without != gpus.end()) {
    throw UsageError(
        fmt::format("rank {} has no GPU, but others have; start one process per GPU, or add --device cpu",
                    without - gpus.begin()));
  } else {
    choice.kind = Kind::kCuda;
  }
}

// An error that all ranks have is printed by rank 0, which then ends the others.
void Ranks::fail(std::exception_ptr error, std::string_view memory_advice) {
  const auto failure = failure_of(std::move(error), memory_advice);
  if (!is_first()) std::this_thread::sleep_for(kPatience);
  log_error(is_first() ? failure.message : fmt::format("rank {}: {}", launch_.rank, failure.message));
  communicator_->end_others(failure.code);
  std::_Exit(static_cast<int>(failure.code));
}

void Ranks::finish() {
  if (watch_) watch_->finish();
}

void run_on_ranks(ParallelMode mode, std::string_view memory_advice, const std::function<void(Ranks&)>& run) {
  std::exception_ptr interrupted;  // thrown again when the ranks have taken leave of each other
  {
    Ranks ranks(mode);
    try {
      run(ranks);
    } catch (const Interrupted&) {
      interrupted = std::current_exception();
    } catch (...) {
      if (ranks.is_alone()) throw;
      ranks.fail(std::current_exception(), memory_advice);
    }
    ranks.finish();
  }
  if (interrupted) std::rethrow_exception(interrupted);
}

}  // namespace warpfit
