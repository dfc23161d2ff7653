// Branches of concurrent work: streams that wait for the work queued on the main stream so far, and that the
// main stream waits for later. In a recorded step they become branches of its graph.
#pragma once

#include <array>
#include <cstddef>

#include "cuda/runtime/stream.hpp"

namespace warpfit {

class Branches {
 public:
  /// Branches of `main`, which must outlive them.
  explicit Branches(Stream& main) : main_(main) {}

  /// Returns a stream whose work waits for everything queued on the main stream so far, and may run
  /// concurrently with what is queued on the main stream before join().
  [[nodiscard]] cudaStream_t fork();
  /// Makes the main stream wait for all branches.
  void join();
  /// Makes `other` wait for the work that is queued on all branches now, which remain open.
  void let_wait(Stream& other);
  /// For destructors: waits for all branches and ignores errors.
  void drain() noexcept;

 private:
  struct Branch {
    Stream stream{"update"};
    Event begin, end;
    bool open = false;
  };
  Stream& main_;
  std::array<Branch, 2> branches_;  // used in turn, so that an update can overlap with the previous one
  std::size_t next_ = 0;
};

}  // namespace warpfit
