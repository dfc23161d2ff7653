// Launchers of the kernels that the emulation's own tests run: correct ones, and faulty ones
// (faulty_kernels.cu).
#pragma once

#include <cuda_runtime_api.h>

namespace warpfit::emulation::test {

// x *= factor.
cudaError_t launch_scale(float* x, int n, float factor, cudaStream_t stream);
// The same with a shape of its own.
cudaError_t launch_shape(float* x, dim3 grid, dim3 block);
// y = x + y, four at a time.
cudaError_t launch_add(const float* x, float* y, int n, cudaStream_t stream);
// *out += sum of x: a tree in shared memory, one atomic addition a block.
cudaError_t launch_sum(const float* x, float* out, int n, cudaStream_t stream);
// sums[c] = sum of rows r of x[r, c]: dynamic shared memory, blocks of two dimensions.
cudaError_t launch_column_sums(const float* x, float* sums, int rows, int columns, cudaStream_t stream);
// sums[r] = sum of columns c of x[r, c]: one warp a row, shuffles.
cudaError_t launch_row_sums(const float* x, float* sums, int rows, int columns, cudaStream_t stream);
// *out = sum of x by the last block to finish, through fences and an atomic counter (which must be 0).
cudaError_t launch_last_block_sum(const float* x, float* partial, unsigned* counter, float* out, int n,
                                  int blocks, cudaStream_t stream);

/// What each of 32 lanes got from each operation of its warp; see warp_test.cpp.
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
// Each of 100 threads takes part in each operation once.
cudaError_t launch_atomics(AtomicResults* results, cudaStream_t stream);

struct MathResults {
  int mixed_min;
  unsigned mixed_max;
  float of_nan, reciprocal, fused, exponential, bits, bf16, constant;
  int ones, zeros, first;
};
cudaError_t launch_math(MathResults* results, cudaStream_t stream);

/// A kernel's argument that holds pointers, as a persistent kernel's would.
struct Views {
  const float* from;
  int count;
  float* to;
};
cudaError_t launch_copy(const Views& views, cudaStream_t stream);

// Writes into `order` the rank of each block's first thread among all blocks' (`counter` must be 0).
cudaError_t launch_block_order(int* order, unsigned* counter, int blocks, cudaStream_t stream);

/// How a waiting thread of the grid's own barrier looks at the counter.
enum class Wait { kAtomicSleep, kAtomic, kVolatileSleep };
// x[b] = 1 in block b; then, past a barrier of the whole grid, out[b] = sum of x. One launch of `blocks`
// blocks.
cudaError_t launch_grid_barrier(float* x, float* out, unsigned* counter, int blocks, Wait wait,
                                bool cooperative, cudaStream_t stream);

// out[0] = the first element of `floats` of dynamic shared memory after it was written.
cudaError_t launch_big_shared(float* out, int floats, bool raise_limit, cudaStream_t stream);

/// How a thread waits for the float that it copies to shared memory.
enum class CopyWait { kCommitted, kNotCommitted, kTooLate };
// out[i] = from[i], i < 64, by way of shared memory, fresh from NaN; what is read before the wait is the NaN.
cudaError_t launch_async_copy(const float* from, float* out, CopyWait wait, cudaStream_t stream);
// Likewise for 128 floats in two groups, of which the second may still be under way when they are read.
cudaError_t launch_grouped_copies(const float* from, float* out, CopyWait wait, cudaStream_t stream);

/// Kernels with one planted fault each.
enum class Fault {
  kNone,              // a barrier where it belongs
  kDivergentBarrier,  // the two halves of the block call __syncthreads on two lines
  kBarrierAfterExit,  // one thread leaves before the others' barrier
  kBarrierInBranch,   // half of the block goes to a barrier, half to the end of the kernel behind a warp's
  kOwnLaneNotInMask,
  kDifferentMasks,
  kDifferentOperations,
  kBadWidth,
  kWaitForever,        // in __nanosleep
  kWaitForeverInWarp,  // a warp's operation that a lane never comes to
  kTooMuchShared,
  kUnsetShared,     // writes out[i] = what it finds in fresh shared memory
  kPastTheEnd,      // writes one element past the end of out
  kBeforeTheStart,  // writes one element before out
  kFarPastTheEnd,   // reads a megabyte past the end of out
  kEndlessRecursion,
  kTrap,
  kMisaligned,      // reads a float array in shared memory as float4
  kPastShared,      // writes one element past a shared array
  kCopyLeftBehind,  // exits without waiting for a copy to shared memory
  kMisalignedCopy,  // of 16 bytes, from the second float
  // Races, for the thread sanitizer.
  kRaceInShared,       // no barrier between writing and reading another thread's element
  kRaceBetweenBlocks,  // all blocks write one element
  kRaceInWarp,         // no __syncwarp between the lanes of a warp
  kRaceBesideAtomic,   // a plain read while others add atomically
  kRaceWithoutFence,   // a counter says that the other block is done, but no fence
  kNoRace,             // the same things, done right
};
// One block of 64 threads (two blocks for races between blocks) on `out` of n floats.
cudaError_t launch_faulty(Fault fault, float* out, int n, cudaStream_t stream);

}  // namespace warpfit::emulation::test
