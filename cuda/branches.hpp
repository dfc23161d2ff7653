// Work concurrent with a stream's own: branches that begin where the stream has got to, and end before it
// goes on. In a recorded step they are branches of its graph.
#pragma once

#include <array>
#include <cstddef>

#include "cuda/runtime/stream.hpp"

namespace warpfit {

class Branches {
 public:
  /// Of `main`, which must outlive them.
  explicit Branches(Stream& main) : main_(main) {}

  /// A stream for work that waits for what the main stream has queued so far, and may run concurrently with
  /// what that queues before join().
  [[nodiscard]] cudaStream_t fork();
  /// Makes the main stream wait for all branches.
  void join();
  /// For destructors: waits for all branches, whatever the device says.
  void drain() noexcept;

 private:
  struct Branch {
    Stream stream{"update"};
    Event begin, end;
    bool open = false;
  };
  Stream& main_;
  std::array<Branch, 2> branches_;  // in turn, so that an update runs concurrently with the one before, too
  std::size_t next_ = 0;
};

}  // namespace warpfit
