// Asynchronous bulk copies from global to shared memory, which compute capability 9.0 provides: one
// instruction copies a whole row, where other copies take one instruction per 16 bytes. A warp begins copies,
// continues, and waits for them at its own barrier in shared memory. On other architectures the lanes copy
// the data themselves.
#pragma once

#include <cstdint>

#include "cuda/device/reduce.cuh"

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
#define WARPFIT_BULK_COPIES 1
#endif

namespace warpfit {

class WarpCopies {
 public:
  __device__ WarpCopies() {}
  /// `barrier`: a barrier in shared memory, used only by this warp.
  __device__ explicit WarpCopies(unsigned long long* barrier) : barrier_(barrier) {
#ifdef WARPFIT_BULK_COPIES
    if (lane() == 0) {
      asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" : : "r"(address(barrier_)) : "memory");
      asm volatile("fence.proxy.async.shared::cta;" : : : "memory");
    }
#endif
    __syncwarp();
  }

  /// Begins to copy rows: lane i < rows copies `bytes` bytes, a multiple of 16, from from(i) to to(i), which
  /// are aligned to 16 bytes. The warp must have completed its previous accesses to both memories. Called by
  /// all lanes.
  template <class To, class From>
  __device__ void begin(int rows, unsigned bytes, const To& to, const From& from) {
    __syncwarp();
#ifdef WARPFIT_BULK_COPIES
    // Orders previous ordinary accesses before those of the bulk copy.
    asm volatile("fence.proxy.async.global;" : : : "memory");
    asm volatile("fence.proxy.async.shared::cta;" : : : "memory");
    if (lane() == 0) {
      asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;"
                   :
                   : "r"(address(barrier_)), "r"(bytes * static_cast<unsigned>(rows))
                   : "memory");
    }
    __syncwarp();
    if (lane() < rows) {
      asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];"
                   :
                   : "r"(address(to(lane()))), "l"(__cvta_generic_to_global(from(lane()))), "r"(bytes),
                     "r"(address(barrier_))
                   : "memory");
    }
#else
    if (lane() < rows) {  // copies here, as late as the hardware might
      to_ = reinterpret_cast<uint4*>(to(lane()));
      from_ = reinterpret_cast<const uint4*>(from(lane()));
      pieces_ = bytes / sizeof(uint4);
    }
#endif
  }

  /// Waits for the copies begun by the last begin(). Called by all lanes, once for each begin().
  __device__ void wait() {
#ifdef WARPFIT_BULK_COPIES
    unsigned done = 0;
    while (done == 0) {
      asm volatile(
          "{\n"
          ".reg .pred done;\n"
          "mbarrier.try_wait.parity.shared::cta.b64 done, [%1], %2;\n"
          "selp.u32 %0, 1, 0, done;\n"
          "}"
          : "=r"(done)
          : "r"(address(barrier_)), "r"(phase_)
          : "memory");
    }
    phase_ ^= 1U;
#else
    for (unsigned i = 0; i < pieces_; ++i) to_[i] = __ldcg(from_ + i);
    pieces_ = 0;
#endif
    __syncwarp();
  }

 private:
  __device__ static int lane() { return static_cast<int>(threadIdx.x) % kWarp; }

#ifdef WARPFIT_BULK_COPIES
  __device__ static unsigned address(const void* shared) {
    return static_cast<unsigned>(__cvta_generic_to_shared(shared));
  }

  unsigned phase_ = 0;
#else
  uint4* to_ = nullptr;
  const uint4* from_ = nullptr;
  unsigned pieces_ = 0;
#endif
  unsigned long long* barrier_ = nullptr;
};

}  // namespace warpfit
