// A block of CUDA threads, each of them a fiber: its barrier, its warps, its shared memory.
#pragma once

#include <vector_types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "tests/emulation/device_runtime.hpp"
#include "tests/emulation/fiber.hpp"
#include "tests/emulation/shared_memory.hpp"
#include "tests/emulation/warp.hpp"

namespace warpfit::emulation {

struct Thread {
  enum class State : std::uint8_t { kNotStarted, kReady, kSpinning, kAtBarrier, kAtWarp, kExited };
  uint3 index{};
  State state = State::kNotStarted;
  int number = 0;  ///< index in its block
  Fiber* fiber = nullptr;
  BarrierRequest* barrier = nullptr;
  WarpRequest* warp = nullptr;
  SourceLocation location{};  ///< the source line where it spins
  int atomics = 0;            ///< atomic operations since it was last resumed
  bool fenced = false;        ///< a fence was executed, so its next atomics release (ThreadSanitizer)
  std::vector<const volatile void*>
      atomic_addresses;            ///< addresses of its atomics since its last fence (ThreadSanitizer)
  std::deque<AsyncCopy> copies;    ///< started, not yet waited for
  std::deque<std::size_t> groups;  ///< number of copies in each group, oldest group first
};

class Block {
 public:
  explicit Block(dim3 shape);
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  void begin(uint3 index, std::size_t dynamic_shared, std::size_t shared_limit);
  /// Runs every runnable thread once, in the configured order. Returns false if all of them only spun.
  bool run_round(std::minstd_rand& random);
  bool spinning() const;
  bool finished() const { return exited_ == size(); }
  /// Returns the fibers to the pool, or abandons them if the block did not finish.
  void end();

  // The following functions are called by the running thread, on its fiber.
  /// Called when the thread has exited: switches to the next thread of this round if that has not started
  /// yet, so that the same fiber can run it.
  bool reuse_fiber();
  void barrier(Thread& thread, BarrierRequest& request);
  void warp_operation(Thread& thread, WarpRequest& request);
  std::uint32_t active_mask(const Thread& thread) const { return warps_[thread.number / 32].live(); }
  SharedMemory& shared() { return shared_; }

  uint3 index() const { return index_; }
  std::string name(const Thread& thread) const;
  /// Describes where up to `limit` of the unfinished threads wait, one line each.
  std::string waiting(int& limit) const;
  int unfinished() const { return size() - exited_; }

 private:
  int size() const { return static_cast<int>(threads_.size()); }
  void run(Thread& thread);
  void enter(Thread& thread);
  void leave(Thread& thread);
  void release_barrier_if_complete();

  uint3 index_{};
  std::vector<Thread> threads_;
  std::vector<int> order_;
  std::vector<Warp> warps_;
  SharedMemory shared_;
  std::size_t next_ = 0;  ///< index into order_ in this round
  bool progress_ = false;
  int exited_ = 0;
  int arrived_ = 0;
  const void* barrier_tokens_[2] = {};  ///< for even and odd barriers
  unsigned barrier_phase_ = 0;
};

/// "file.cu:12", without the directory.
std::string describe(const SourceLocation& location);

}  // namespace warpfit::emulation
