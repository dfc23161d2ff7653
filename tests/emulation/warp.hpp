// A warp's operations: a lane waits until every lane of its mask that has not exited asks for the same.
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
  /// `threads` points at the warp's first thread, of which there are `count`.
  void begin(Thread* threads, int count);

  /// The running lane asks; it is to suspend after that.
  void arrive(int lane, WarpRequest& request);
  /// What a lane does round its wait so that __syncwarp, and only that, orders memory.
  const void* sync_token(const WarpRequest& request);
  /// A lane has suspended in its request, or exited: completes what is complete.
  void settle(int lane, bool exited);

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
  std::map<std::uint32_t, Sync> syncs_;  ///< of each mask, for the thread sanitizer
};

}  // namespace warpfit::emulation
