// Streams, and the markers in them that events and other streams wait for.
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

/// A point in a stream's work queue. Its address is the ThreadSanitizer token for the work before it.
struct Marker {
  Stream* stream = nullptr;  ///< valid as long as done is false
  bool done = false;
  std::chrono::steady_clock::time_point time{};
};

/// One piece of queued work.
struct Operation {
  std::function<void()> run;                   ///< null if the operation is only a wait or a record
  std::vector<std::shared_ptr<Marker>> after;  ///< markers of other streams to wait for
  std::shared_ptr<Marker> completes;           ///< set to done after this operation
};

class Stream {
 public:
  Stream(unsigned flags, int priority) : flags_(flags), priority_(priority) {}

  void push(Operation operation);
  /// A marker after all work that is queued now.
  std::shared_ptr<Marker> mark();

  /// Runs the queued work, all of it or up to a marker of this stream, and the work of other streams that it
  /// waits for.
  void finish();
  void finish(const std::shared_ptr<Marker>& marker);
  /// Runs one operation, so that a polling host makes progress.
  void step();
  bool idle() const { return queue_.empty(); }

  unsigned flags() const { return flags_; }
  int priority() const { return priority_; }
  /// The ThreadSanitizer token to acquire after waiting for this stream.
  const void* token() const { return &token_; }

  /// The capture that this stream participates in, if any, and its last nodes there.
  std::shared_ptr<Capture> capture;
  std::vector<int> last_nodes;
  int capture_index = 0;

 private:
  struct Queued {
    Operation operation;
    char token = 0;  ///< orders what the host did before it queued the work
  };
  void run(Queued& queued);

  unsigned flags_;
  int priority_;
  std::deque<std::unique_ptr<Queued>> queue_;
  Worker worker_;
  char token_ = 0;
};

}  // namespace warpfit::emulation
