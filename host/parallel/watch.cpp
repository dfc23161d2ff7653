#include "host/parallel/watch.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "host/base/parse_number.hpp"

namespace warpfit {
namespace {

// The number of the system call, which is the same on all architectures; older C libraries do not name it.
constexpr long kPidfdOpen = 434;

// When the process was started, in ticks since the machine was; "" if it does not exist or has ended.
// Source: proc(5), /proc/pid/stat.
std::string start_time(pid_t process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  std::string line;
  std::getline(file, line);
  std::istringstream fields(line.substr(std::min(line.size(), line.rfind(')') + 1)));  // after the name
  std::string state, field;
  fields >> state;
  constexpr int kFieldsToStartTime = 19;
  for (int i = 0; i < kFieldsToStartTime; ++i) fields >> field;
  return !fields || state == "Z" || state == "X" ? "" : field;
}

// The machine since it was started, and the PID namespace.
std::string machine() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string boot;
  std::getline(file, boot);
  std::error_code error;
  return boot + " " + std::filesystem::read_symlink("/proc/self/ns/pid", error).string();
}

}  // namespace

std::string process_identity(pid_t process) {
  return fmt::format("{} {} {}", machine(), process, start_time(process));
}

RankWatch::RankWatch(Communicator& communicator, OnLost on_lost, bool poll_proc)
    : communicator_(communicator), on_lost_(std::move(on_lost)), stop_(eventfd(0, EFD_CLOEXEC)) {
  const auto own = process_identity(getpid());
  const auto identities = communicator.gather(own);
  const auto here = machine() + " ";
  for (std::size_t rank = 0; rank < identities.size(); ++rank) {
    const auto& identity = identities[rank];
    if (!identity.starts_with(here) || identity == own) continue;
    const auto numbers = identity.substr(here.size());
    const auto process = parse_number<pid_t>(numbers.substr(0, numbers.find(' '))).value_or(0);
    if (process <= 0) continue;
    const auto descriptor = poll_proc ? -1 : static_cast<int>(syscall(kPidfdOpen, process, 0));
    watched_.push_back({static_cast<int>(rank), process, identity, descriptor});
  }
  thread_ = std::thread([this, poll_proc] { watch(poll_proc); });
}

RankWatch::~RankWatch() {
  stop();
  for (const Watched& each : watched_) {
    if (each.descriptor >= 0) close(each.descriptor);
  }
  close(stop_);
}

void RankWatch::finish() {
  static_cast<void>(communicator_.gather(""));  // watched until all others have come to their ends
  stop();
  static_cast<void>(communicator_.gather(""));
}

void RankWatch::stop() {
  eventfd_write(stop_, 1);
  if (thread_.joinable()) thread_.join();
}

void RankWatch::watch(bool poll_proc) {
  std::vector<pollfd> events{{stop_, POLLIN, 0}};
  for (const Watched& each : watched_) {
    events.push_back({each.descriptor, POLLIN, 0});  // negative descriptors are ignored
    poll_proc = poll_proc || each.descriptor < 0;
  }
  constexpr int kMilliseconds = 200;
  int timeout = 0;  // at first: a process may have ended before it was watched, and another have its number
  for (;;) {
    poll(events.data(), events.size(), timeout);
    if (events[0].revents != 0) return;
    for (std::size_t i = 0; i < watched_.size(); ++i) {
      const Watched& each = watched_[i];
      const bool is_looked_up = each.descriptor < 0 || timeout == 0;
      if (events[i + 1].revents != 0 || (is_looked_up && process_identity(each.process) != each.identity)) {
        return on_lost_(each.rank, each.process);
      }
    }
    timeout = poll_proc ? kMilliseconds : -1;
  }
}

}  // namespace warpfit
