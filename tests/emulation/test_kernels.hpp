// Launchers of the kernels for the emulation's own tests: correct ones, and faulty ones (faulty_kernels.cu).
#pragma once

#include <cuda_runtime_api.h>

namespace warpfit::emulation::test {

// x *= factor.
cudaError_t launch_scale(float* x, int n, float factor, cudaStream_t stream);
// The same with a given grid and block.
cudaError_t launch_shape(float* x, dim3 grid, dim3 block);
// y = x + y, four elements at a time.
cudaError_t launch_add(const float* x, float* y, int n, cudaStream_t stream);
// *out += sum of x: a tree reduction in shared memory, one atomic addition per block.
cudaError_t launch_sum(const float* x, float* out, int n, cudaStream_t stream);
// sums[c] = sum of x[r, c] over rows r: dynamic shared memory, two-dimensional blocks.
cudaError_t launch_column_sums(const float* x, float* sums, int rows, int columns, cudaStream_t stream);
// sums[r] = sum of x[r, c] over columns c: one warp per row, shuffles.
cudaError_t launch_row_sums(const float* x, float* sums, int rows, int columns, cudaStream_t stream);
// *out = sum of x by the last block to finish, through fences and an atomic counter (which must be 0).
cudaError_t launch_last_block_sum(const float* x, float* partial, unsigned* counter, float* out, int n,
                                  int blocks, cudaStream_t stream);

/// The result of each warp operation for each of the 32 lanes; see warp_test.cpp.
struct WarpResults {
  int shuffle[32], up[32], down[32], exclusive_or[32], narrow[32], undefined[32];
  unsigned ballot[32], any[32], all[32], match[32], active[32];
  unsigned add[32], least[32], greatest[32];
  int signed_least[32], signed_greatest[32];
};
cudaError_t launch_warp_operations(WarpResults* results, cudaStream_t stream);

struct BarrierResults {
  int count, all, any, all_of_all, any_of_none;
};
cudaError_t launch_barrier_votes(BarrierResults* results, cudaStream_t stream);

struct AtomicResults {
  int integer, least, greatest, exchanged, swapped, bits;
  unsigned wrapped;
  unsigned long long wide;
  float real;
};
// Each of 100 threads executes each operation once.
cudaError_t launch_atomics(AtomicResults* results, cudaStream_t stream);

struct MathResults {
  int mixed_min;
  unsigned mixed_max;
  float of_nan, reciprocal, fused, exponential, bits, bf16, constant;
  int ones, zeros, first;
};
cudaError_t launch_math(MathResults* results, cudaStream_t stream);

/// A kernel argument that contains pointers, like that of a persistent kernel.
struct Views {
  const float* from;
  int count;
  float* to;
};
cudaError_t launch_copy(const Views& views, cudaStream_t stream);

// Writes into `order` the rank of each block's first thread among those of all blocks (`counter` must be 0).
cudaError_t launch_block_order(int* order, unsigned* counter, int blocks, cudaStream_t stream);

/// How a thread that waits at the hand-written grid barrier reads the counter.
enum class Wait { kAtomicSleep, kAtomic, kVolatileSleep };
// x[b] = 1 in block b; then, after a barrier of the whole grid, out[b] = sum of x. One launch of `blocks`
// blocks.
cudaError_t launch_grid_barrier(float* x, float* out, unsigned* counter, int blocks, Wait wait,
                                bool cooperative, cudaStream_t stream);

// out[0] = the first element of a dynamic shared array of `floats` floats after it was written.
cudaError_t launch_big_shared(float* out, int floats, bool raise_limit, cudaStream_t stream);

/// How a thread waits for the float that it copies to shared memory.
enum class CopyWait { kCommitted, kNotCommitted, kTooLate };
// out[i] = from[i], i < 64, by way of shared memory, which initially contains NaN; reading it before the wait
// gives NaN.
cudaError_t launch_async_copy(const float* from, float* out, CopyWait wait, cudaStream_t stream);
// The same for 128 floats in two groups; the second may still be in progress when they are read.
cudaError_t launch_grouped_copies(const float* from, float* out, CopyWait wait, cudaStream_t stream);

/// Kernels with one planted fault each.
enum class Fault {
  kNone,              // no fault: a correct barrier
  kDivergentBarrier,  // the two halves of the block call __syncthreads on different lines
  kBarrierAfterExit,  // one thread exits before the others' barrier
  kBarrierInBranch,   // half of the block waits at a barrier, half exits after a warp operation
  kOwnLaneNotInMask,
  kDifferentMasks,
  kDifferentOperations,
  kBadWidth,
  kWaitForever,        // in __nanosleep
  kWaitForeverInWarp,  // a warp operation that one lane never executes
  kTooMuchShared,
  kUnsetShared,     // writes the content of uninitialized shared memory to out[i]
  kPastTheEnd,      // writes one element past the end of out
  kBeforeTheStart,  // writes one element before out
  kFarPastTheEnd,   // reads a megabyte past the end of out
  kEndlessRecursion,
  kTrap,
  kMisaligned,      // reads a float array in shared memory as float4
  kPastShared,      // writes one element past a shared array
  kUnfinishedCopy,  // exits without waiting for a copy to shared memory
  kMisalignedCopy,  // of 16 bytes, starting at the second float
  // Races, for ThreadSanitizer.
  kRaceInShared,       // no barrier between writing and reading another thread's element
  kRaceBetweenBlocks,  // all blocks write one element
  kRaceInWarp,         // no __syncwarp between the lanes of a warp
  kRaceWithAtomic,     // a plain read while other threads add atomically
  kRaceWithoutFence,   // a counter shows that the other block is done, but there is no fence
  kNoRace,             // the same operations, done correctly
};
// One block of 64 threads (two blocks for races between blocks) on `out` of n floats.
cudaError_t launch_faulty(Fault fault, float* out, int n, cudaStream_t stream);

}  // namespace warpfit::emulation::test
