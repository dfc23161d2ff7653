// Streams and the markers in them that events and other streams wait for.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/emulation/fiber.hpp"

namespace warpfit::emulation {

class Capture;
class Stream;

/// A point in a stream's order of work. Its address is the thread sanitizer's token for what came before it.
struct Marker {
  Stream* stream = nullptr;  ///< alive as long as done is false
  bool done = false;
  std::chrono::steady_clock::time_point time{};
};

/// One piece of queued work.
struct Operation {
  std::function<void()> run;                   ///< null for a wait or a record alone
  std::vector<std::shared_ptr<Marker>> after;  ///< of other streams
  std::shared_ptr<Marker> completes;           ///< done when this is
};

class Stream {
 public:
  Stream(unsigned flags, int priority) : flags_(flags), priority_(priority) {}

  void push(Operation operation);
  /// A marker after all that is queued now.
  std::shared_ptr<Marker> mark();

  /// Runs what is queued, all of it or up to a marker of this stream, and what that waits for elsewhere.
  void finish();
  void finish(const std::shared_ptr<Marker>& marker);
  /// Runs one piece of work, for a host that polls.
  void step();
  bool idle() const { return queue_.empty(); }

  unsigned flags() const { return flags_; }
  int priority() const { return priority_; }
  /// What the host may rely on after waiting for this stream.
  const void* token() const { return &token_; }

  /// The capture this stream takes part in, if any, and its last nodes there.
  std::shared_ptr<Capture> capture;
  std::vector<int> last_nodes;
  int lane = 0;

 private:
  struct Queued {
    Operation operation;
    char token = 0;  ///< of what the host did before queueing it
  };
  void run(Queued& queued);

  unsigned flags_;
  int priority_;
  std::deque<std::unique_ptr<Queued>> queue_;
  Worker worker_;
  char token_ = 0;
};

}  // namespace warpfit::emulation
