// Notices at once that another rank on this machine has ended, however it did: without it, the others could
// wait in MPI forever if the launcher does not end them.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "host/parallel/communicator.hpp"

namespace warpfit {

/// Identifies a process on this machine, and the machine, for RankWatch.
std::string process_identity(pid_t process);

class RankWatch {
 public:
  using OnLost = std::function<void(int rank, pid_t process)>;

  /// Collective. Calls on_lost() once, in a thread of its own, when a rank on this machine ends before this
  /// watch does. Ranks in this process and ranks in other PID namespaces (containers) are not watched. With
  /// `poll_proc`, reads /proc five times a second instead of waiting for pidfds (Linux 5.3).
  RankWatch(Communicator& communicator, OnLost on_lost, bool poll_proc = false);
  ~RankWatch();
  RankWatch(const RankWatch&) = delete;
  RankWatch& operator=(const RankWatch&) = delete;

  /// Collective: all ranks stop watching before one of them returns and may end.
  void finish();

 private:
  struct Watched {
    int rank = 0;
    pid_t process = 0;
    std::string identity;
    int descriptor = -1;  ///< a pidfd; -1: /proc is read instead
  };

  void watch(bool poll_proc);
  void stop();

  Communicator& communicator_;
  OnLost on_lost_;
  int stop_;  // an eventfd
  std::vector<Watched> watched_;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace warpfit
