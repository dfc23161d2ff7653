// Kernels with one planted fault each, for the tests of the checks. Fault::kNone is the same kernel without a
// fault.
#include "cuda/device/kernel.cuh"
#include "tests/emulation/test_kernels.hpp"
#include "tests/emulation/test_launch.hpp"

namespace warpfit::emulation::test {
namespace {

constexpr int kThreads = 64;
constexpr unsigned kAll = 0xffffffffu;

// Recurses deeper than any stack allows.
__device__ int recurse(int depth, volatile int* sink) {
  volatile int frame[256];
  frame[0] = depth;
  *sink = frame[0];
  if (depth == 1 << 30) return 0;
  return recurse(depth + 1, frame) + frame[0];
}

template <Fault kFault>
__global__ void barriers(float* out) {
  const int i = static_cast<int>(threadIdx.x);
  if constexpr (kFault == Fault::kDivergentBarrier) {
    if (i < 32) {
      __syncthreads();
    } else {
      __syncthreads();
    }
  } else if constexpr (kFault == Fault::kBarrierAfterExit) {
    if (i == 5) return;
    __syncthreads();
  } else if constexpr (kFault == Fault::kBarrierInBranch) {
    if (i % 2 == 0) __syncthreads();
    __syncwarp();
  } else {
    __syncthreads();
  }
  out[i] = 1;
}

template <Fault kFault>
__global__ void warps(float* out) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  int value = lane;
  if constexpr (kFault == Fault::kOwnLaneNotInMask) {
    value = __shfl_sync(0x0000ffffu, value, 0);
  } else if constexpr (kFault == Fault::kDifferentMasks) {
    value = __shfl_sync(lane % 2 == 0 ? 0x7fffffffu : kAll, value, 16);
  } else if constexpr (kFault == Fault::kDifferentOperations) {
    if (lane == 3) {
      value = __any_sync(kAll, 1);
    } else {
      value = __shfl_xor_sync(kAll, value, 1);
    }
  } else if constexpr (kFault == Fault::kBadWidth) {
    value = __shfl_down_sync(kAll, value, 1, 12);
  } else if constexpr (kFault == Fault::kWaitForeverInWarp) {
    if (lane == 9) __syncthreads();
    __syncwarp();
  }
  out[threadIdx.x] = static_cast<float>(value);
}

template <Fault kFault>
__global__ void memory(float* out, int n) {
  const int i = static_cast<int>(threadIdx.x);
  if constexpr (kFault == Fault::kTooMuchShared) {
    SHARED_ARRAY(float, many, 13000);
    many[i] = 1;
  } else if constexpr (kFault == Fault::kUnsetShared) {
    SHARED_ARRAY(float, fresh, kThreads);
    out[i] = fresh[i];
  } else if constexpr (kFault == Fault::kMisaligned) {
    SHARED_ARRAY(float, values, 4 * kThreads);
    for (int k = 0; k < 4; ++k) values[4 * i + k] = 1;
    out[i] = reinterpret_cast<const float4*>(values)[i].y;
  } else if constexpr (kFault == Fault::kUnfinishedCopy || kFault == Fault::kMisalignedCopy) {
    SHARED_ARRAY(float4, copied, 1);
    if (i == 9)
      __pipeline_memcpy_async(copied, out + (kFault == Fault::kMisalignedCopy ? 1 : 0), sizeof(float4));
    __pipeline_commit();
  } else if constexpr (kFault == Fault::kPastShared) {
    SHARED_ARRAY(float, values, kThreads);
    values[i + 1] = 1;
    out[i] = values[i];
  } else if constexpr (kFault == Fault::kEndlessRecursion) {
    volatile int sink = 0;
    out[i] = static_cast<float>(recurse(0, &sink));
  } else if constexpr (kFault == Fault::kTrap) {
    if (i == 2) __trap();
  } else if (i == 0) {
    if constexpr (kFault == Fault::kPastTheEnd) out[n] = 1;
    if constexpr (kFault == Fault::kBeforeTheStart) out[-1] = 1;
    if constexpr (kFault == Fault::kFarPastTheEnd) out[0] = out[n + 262144];
    if constexpr (kFault == Fault::kWaitForever) {
      while (atomicAdd(out, 0.0f) != 12345.0f) __nanosleep(20);
    }
  }
}

template <Fault kFault>
__global__ void races(float* out) {
  const int i = static_cast<int>(threadIdx.x);
  SHARED_ARRAY(float, shared, kThreads);
  shared[i] = static_cast<float>(i);
  if constexpr (kFault == Fault::kRaceInShared) {
    out[blockIdx.x * kThreads + threadIdx.x] = shared[kThreads - 1 - i];
  } else if constexpr (kFault == Fault::kRaceInWarp) {
    out[blockIdx.x * kThreads + threadIdx.x] = shared[i ^ 1];
  } else if constexpr (kFault == Fault::kRaceBetweenBlocks) {
    if (i == 0) out[0] = static_cast<float>(blockIdx.x);
  } else if constexpr (kFault == Fault::kRaceWithAtomic) {
    atomicAdd(out, 1.0f);
    if (i == 7) shared[i] = out[0];
  } else if constexpr (kFault == Fault::kRaceWithoutFence) {
    if (i == 0) out[1 + blockIdx.x] = 1;
    __syncthreads();  // orders only this block
    if (i == 0 && atomicAdd(out, 1.0f) == 1.0f) out[3] = out[1] + out[2];
  } else {  // all of the above, done correctly
    __syncwarp();
    const float neighbor = shared[i ^ 1];
    __syncthreads();
    const float across = shared[kThreads - 1 - i];
    atomicAdd(out, neighbor + across);
    __syncthreads();
    if (i == 0) {
      out[1 + blockIdx.x] = 1;
      __threadfence();
      const float before = atomicAdd(out + 4, 1.0f);
      __threadfence();
      if (before == 1.0f) out[3] = out[1] + out[2];
    }
  }
}

template <Fault kFault>
cudaError_t start(float* out, int n, cudaStream_t stream) {
  if constexpr (kFault <= Fault::kBarrierInBranch) {
    return launch(barriers<kFault>, {1}, {kThreads}, 0, stream, out);
  } else if constexpr (kFault <= Fault::kBadWidth || kFault == Fault::kWaitForeverInWarp) {
    return launch(warps<kFault>, {1}, {kThreads}, 0, stream, out);
  } else if constexpr (kFault < Fault::kRaceInShared) {
    return launch(memory<kFault>, {1}, {kThreads}, 0, stream, out, n);
  } else {
    return launch(races<kFault>, {2}, {kThreads}, 0, stream, out);
  }
}

template <int kFirst = 0>
cudaError_t dispatch(Fault fault, float* out, int n, cudaStream_t stream) {
  if constexpr (kFirst > static_cast<int>(Fault::kNoRace)) {
    return cudaErrorInvalidValue;
  } else {
    if (fault == static_cast<Fault>(kFirst)) return start<static_cast<Fault>(kFirst)>(out, n, stream);
    return dispatch<kFirst + 1>(fault, out, n, stream);
  }
}

}  // namespace

cudaError_t launch_faulty(Fault fault, float* out, int n, cudaStream_t stream) {
  return dispatch(fault, out, n, stream);
}

}  // namespace warpfit::emulation::test
