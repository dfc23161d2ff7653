// Tells TCP ranks that another one has ended, over the control connections, which a thread watches: a rank
// may compute or write a file for a long time before its next collective would show it.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "host/base/error.hpp"
#include "host/parallel/rendezvous.hpp"

namespace warpfit {

class EndNotices {
 public:
  /// `peers` by rank; those that are closed do not count. For `on_ended`, see TcpOptions.
  EndNotices(std::span<Peer> peers, int rank, std::function<void(const std::string&, ExitCode)> on_ended);
  /// Says goodbye to the peers, so that they do not take the end for a failure; not if an exception is
  /// thrown.
  ~EndNotices();
  EndNotices(const EndNotices&) = delete;
  EndNotices& operator=(const EndNotices&) = delete;

  /// Tells the other ranks to end with this exit code.
  void end_others(ExitCode code) noexcept;
  /// After a data connection to this rank has failed: why. Waits for the notice, which may come later.
  std::string why_failed(int rank);

 private:
  enum class Kind : std::int32_t { kGoodbye, kEnded };
  struct Notice {
    Kind kind = Kind::kGoodbye;
    std::int32_t rank = 0;
    ExitCode code = ExitCode::kDone;
  };
  // What has been read from a peer.
  struct Inbox {
    Notice notice;
    std::size_t bytes = 0;
    bool has_left = false;
  };

  void watch();
  bool read(int rank, Notice& notice);
  void end(const Notice& notice);
  void send(const Notice& notice, int except) noexcept;

  std::span<Peer> peers_;
  int rank_;
  std::function<void(const std::string&, ExitCode)> on_ended_;
  int exceptions_ = std::uncaught_exceptions();
  int stop_;  // an eventfd
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Inbox> inboxes_;  // by rank
  std::string reason_;          // why another rank has ended; "" while none has
  bool is_ending_ = false;      // end_others() has been called
  std::thread thread_;          // the last member: it uses the others
};

}  // namespace warpfit
