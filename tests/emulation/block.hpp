// A block of CUDA threads, each a fiber: its barrier, its warps, its shared memory.
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
  enum class State : std::uint8_t { kFresh, kReady, kSpinning, kAtBarrier, kAtWarp, kExited };
  uint3 index{};
  State state = State::kFresh;
  int number = 0;  ///< in its block
  Fiber* fiber = nullptr;
  BarrierRequest* barrier = nullptr;
  WarpRequest* warp = nullptr;
  Place place{};                              ///< where it spins
  int atomics = 0;                            ///< since it last ran on
  bool fenced = false;                        ///< since when its atomics release (thread sanitizer)
  std::vector<const volatile void*> touched;  ///< by its atomics since its last fence (thread sanitizer)
  std::deque<AsyncCopy> copies;               ///< begun and not waited for
  std::deque<std::size_t> groups;             ///< how many of them, oldest first, belong to each group
};

class Block {
 public:
  explicit Block(dim3 shape);
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  void begin(uint3 index, std::size_t dynamic_shared, std::size_t shared_limit);
  /// Runs every thread that can run once, in the configured order. False if none did anything but spin.
  bool pass(std::minstd_rand& random);
  bool spinning() const;
  bool finished() const { return exited_ == size(); }
  /// Gives the fibers back when the block is done, or gives them up when it cannot be.
  void end();

  // Called by the running thread, on its fiber.
  /// It has exited: takes the next thread of this pass if that has not begun, so that the fiber can go on
  /// with it.
  bool go_on();
  void barrier(Thread& thread, BarrierRequest& request);
  void warp_operation(Thread& thread, WarpRequest& request);
  std::uint32_t active_mask(const Thread& thread) const { return warps_[thread.number / 32].live(); }
  SharedMemory& shared() { return shared_; }

  uint3 index() const { return index_; }
  std::string name(const Thread& thread) const;
  /// Where up to `limit` of its unfinished threads wait, one line each.
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
  std::size_t next_ = 0;  ///< of order_, in this pass
  bool progress_ = false;
  int exited_ = 0;
  int arrived_ = 0;
  const void* barrier_tokens_[2] = {};  ///< of every other barrier
  unsigned barrier_phase_ = 0;
};

/// "file.cu:12", without the directory.
std::string describe(const Place& place);

}  // namespace warpfit::emulation
