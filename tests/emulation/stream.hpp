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
  /// Called until it returns true, which completes the operation; false: it waits for another device. Null if
  /// the operation is only a wait or a record.
  std::function<bool()> run;
  std::vector<std::shared_ptr<Marker>> after;  ///< markers of other streams to wait for
  std::shared_ptr<Marker> completes;           ///< set to done after this operation
};

class Stream {
 public:
  Stream(unsigned flags, int priority, int device) : flags_(flags), priority_(priority), device_(device) {}

  void push(Operation operation);
  /// A marker after all work that is queued now.
  std::shared_ptr<Marker> mark();

  /// Runs the queued work, all of it or up to a marker of this stream, and the work of other streams that it
  /// waits for. If that waits for another device, runs work of other devices, and releases the lock until
  /// other host threads have queued more.
  void finish();
  void finish(const std::shared_ptr<Marker>& marker);
  /// The same, but returns when the work waits for another device.
  void advance();
  /// Runs one operation, so that a polling host makes progress. Returns false if it waits for another device,
  /// or if there is none.
  bool step();
  /// Like step(), but then also runs one operation of each stream of other devices.
  void poll();
  bool idle() const { return queue_.empty(); }

  unsigned flags() const { return flags_; }
  int priority() const { return priority_; }
  int device() const { return device_; }
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
  bool run(Queued& queued);

  unsigned flags_;
  int priority_;
  int device_;
  std::deque<std::unique_ptr<Queued>> queue_;
  Worker worker_;
  char token_ = 0;
};

}  // namespace warpfit::emulation
