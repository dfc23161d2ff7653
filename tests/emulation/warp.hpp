// Warp operations: a lane waits until every lane of its mask that has not exited requests the same operation.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tests/emulation/device_runtime.hpp"
#include "tests/emulation/sanitizer.hpp"

namespace warpfit::emulation {

struct Thread;

class Warp {
 public:
  /// `threads` points to the warp's first thread; it has `count` threads.
  void begin(Thread* threads, int count);

  /// Registers the running lane's request; the lane must suspend afterwards.
  void arrive(int lane, WarpRequest& request);
  /// The token that a lane releases before and acquires after its wait, so that __syncwarp, and nothing else,
  /// orders memory.
  const void* sync_token(const WarpRequest& request);
  /// Called when a lane has suspended in its request, or exited: performs the operations that are now
  /// complete.
  void perform_completed(int lane, bool exited);

  std::uint32_t live() const { return live_; }

 private:
  bool complete(std::uint32_t mask) const { return (mask & live_ & ~waiting_) == 0; }
  void perform(int lane);
  void expect_same(int lane, int other) const;

  struct Sync {
    const void* tokens[2] = {sanitizer::fresh_token(), sanitizer::fresh_token()};
    unsigned phase = 0;
  };
  Thread* threads_ = nullptr;
  int count_ = 0;
  std::uint32_t live_ = 0;
  std::uint32_t waiting_ = 0;
  std::map<std::uint32_t, Sync> syncs_;  ///< by lane mask, for ThreadSanitizer
};

}  // namespace warpfit::emulation
