// Correct kernels, which together use every feature of the emulation.
#include "cuda/device/kernel.cuh"
#include "tests/emulation/test_kernels.hpp"
#include "tests/emulation/test_launch.hpp"

namespace warpfit::emulation::test {
namespace {

constexpr int kBlock = 128;
constexpr unsigned kAll = 0xffffffffu;

__constant__ float constants[2] = {0.25f, 4.0f};

__global__ void scale(float* x, int n, float factor) {
  for (int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); i < n;
       i += static_cast<int>(gridDim.x * blockDim.x)) {
    x[i] *= factor;
  }
}

__global__ void __launch_bounds__(kBlock) add(const float* __restrict__ x, float* __restrict__ y, int n) {
  const int stride = static_cast<int>(gridDim.x * blockDim.x);
  const int first = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const auto* x4 = reinterpret_cast<const float4*>(x);
  auto* y4 = reinterpret_cast<float4*>(y);
  for (int i = first; i < n / 4; i += stride) {
    const float4 a = __ldg(x4 + i);
    const float4 b = y4[i];
    __stcs(y4 + i, make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w));
  }
  for (int i = n / 4 * 4 + first; i < n; i += stride) y[i] += __ldcs(x + i);
}

/// In thread 0: the sum of `value` over a block of kThreads.
template <int kThreads>
__device__ __forceinline__ float block_sum(float value) {
  SHARED_ARRAY(float, partial, kThreads);
  partial[threadIdx.x] = value;
  __syncthreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (static_cast<int>(threadIdx.x) < half) partial[threadIdx.x] += partial[threadIdx.x + half];
    __syncthreads();
  }
  return partial[0];
}

template <int kThreads>
__global__ void sum(const float* __restrict__ x, float* out, int n) {
  float value = 0;
#pragma unroll 4
  for (int i = static_cast<int>(blockIdx.x * kThreads + threadIdx.x); i < n;
       i += static_cast<int>(gridDim.x * kThreads)) {
    value += x[i];
  }
  const float total = block_sum<kThreads>(value);
  if (threadIdx.x == 0) atomicAdd(out, total);
}

__global__ void column_sums(const float* __restrict__ x, float* __restrict__ sums, int rows, int columns) {
  DYNAMIC_SHARED(float, partial);  // (blockDim.y, 32)
  const int column = static_cast<int>(blockIdx.x * 32 + threadIdx.x);
  float value = 0;
  if (column < columns) {
    for (int row = static_cast<int>(threadIdx.y); row < rows; row += static_cast<int>(blockDim.y)) {
      value += x[row * columns + column];
    }
  }
  partial[threadIdx.y * 32 + threadIdx.x] = value;
  __syncthreads();
  if (threadIdx.y != 0 || column >= columns) return;
  float total = 0;
  for (unsigned y = 0; y < blockDim.y; ++y) total += partial[y * 32 + threadIdx.x];
  sums[column] = total;
}

__global__ void row_sums(const float* __restrict__ x, float* __restrict__ sums, int rows, int columns) {
  const int lane = static_cast<int>(threadIdx.x) % warpSize;
  const int row = static_cast<int>(blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32);
  if (row >= rows) return;  // all lanes of a warp return together
  float value = 0;
  for (int c = lane; c < columns; c += warpSize) value += x[row * columns + c];
  for (int distance = 16; distance > 0; distance /= 2) value += __shfl_xor_sync(kAll, value, distance);
  if (lane == 0) sums[row] = value;
}

__global__ void last_block_sum(const float* __restrict__ x, float* partial, unsigned* counter, float* out,
                               int n) {
  SHARED_ARRAY(bool, last, 1);
  float value = 0;
  for (int i = static_cast<int>(blockIdx.x * kBlock + threadIdx.x); i < n;
       i += static_cast<int>(gridDim.x * kBlock)) {
    value += x[i];
  }
  const float total = block_sum<kBlock>(value);
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = total;
    __threadfence();
    last[0] = atomicAdd(counter, 1u) == gridDim.x - 1;
    __threadfence();
  }
  __syncthreads();
  if (!last[0] || threadIdx.x != 0) return;
  float all = 0;
  for (unsigned b = 0; b < gridDim.x; ++b) all += partial[b];
  *out = all;
}

__global__ void warp_operations(WarpResults* r) {
  const int lane = static_cast<int>(threadIdx.x);
  r->shuffle[lane] = __shfl_sync(kAll, lane * 10, lane + 5);  // the source lane wraps around
  r->up[lane] = __shfl_up_sync(kAll, lane, 3);
  r->down[lane] = __shfl_down_sync(kAll, lane, 3);
  r->exclusive_or[lane] = __shfl_xor_sync(kAll, lane, 9);
  r->narrow[lane] = __shfl_down_sync(kAll, lane, 2, 8);
  r->ballot[lane] = __ballot_sync(kAll, lane % 3 == 0);
  r->any[lane] = static_cast<unsigned>(__any_sync(kAll, lane == 7));
  r->all[lane] = static_cast<unsigned>(__all_sync(kAll, lane != 7));
  r->match[lane] = __match_any_sync(kAll, lane / 8);
  r->add[lane] = __reduce_add_sync(kAll, static_cast<unsigned>(lane));
  r->least[lane] = __reduce_min_sync(kAll, static_cast<unsigned>(lane) + 4u);
  r->greatest[lane] = __reduce_max_sync(kAll, static_cast<unsigned>(lane) + 4u);
  r->signed_least[lane] = __reduce_min_sync(kAll, lane - 10);
  r->signed_greatest[lane] = __reduce_max_sync(kAll, -lane - 1);
  __syncwarp();
  r->undefined[lane] = 0;
  if (lane < 16) {
    r->active[lane] = __activemask();
    r->undefined[lane] = __shfl_sync(0xffffu, lane, 20);  // reads a lane that does not participate
  } else {
    r->active[lane] = 0;
    __syncwarp(0xffff0000u);
  }
}

__global__ void barrier_votes(BarrierResults* r) {
  const int i = static_cast<int>(threadIdx.x);
  const int count = __syncthreads_count(i % 3 == 0);
  const int all = __syncthreads_and(i != 5);
  const int any = __syncthreads_or(i == 5);
  const int all_of_all = __syncthreads_and(1);
  const int any_of_none = __syncthreads_or(0);
  if (i == 0) *r = {count, all, any, all_of_all, any_of_none};
}

__global__ void atomics(AtomicResults* r) {
  const int i = static_cast<int>(threadIdx.x);
  atomicAdd(&r->integer, i);
  atomicSub(&r->integer, 1);
  atomicMin(&r->least, i);
  atomicMax(&r->greatest, i);
  if (i == 3) atomicExch(&r->exchanged, 33);
  atomicCAS(&r->swapped, i, i + 1);  // depends on the order: at least one finds its number
  atomicOr(&r->bits, 1 << (i % 8));
  atomicInc(&r->wrapped, 9);
  atomicAdd(&r->wide, 1ull << 33);
  atomicAdd(&r->real, 0.5f);
}

__global__ void math(MathResults* r) {
  r->mixed_min = static_cast<int>(min(threadIdx.x + 3u, 2u));
  r->mixed_max = max(threadIdx.x, 7);
  r->of_nan = max(__int_as_float(0x7fc00000), 1.5f);
  r->reciprocal = __frcp_rn(4.0f);
  r->fused = __fmaf_rn(2.0f, 3.0f, __fmul_rn(2.0f, __fadd_rn(1.0f, 1.0f)));
  r->exponential = __expf(0.0f) + __logf(1.0f) + rsqrtf(4.0f) + fmaxf(0.0f, -1.0f) + __fdividef(1.0f, 2.0f);
  r->bits = __uint_as_float(__float_as_uint(1.0f) + 0x00800000u);
  r->bf16 = __bfloat162float(
      __float2bfloat16_rn(1.00390625f));  // halfway between two values: rounds to the even one, 1
  r->constant = constants[0] * constants[1];
  r->ones = __popc(0xf0f0u);
  r->zeros = __clz(1);
  r->first = __ffs(8);
}

__global__ void copy(Views views) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < views.count) views.to[i] = views.from[i];
}

__global__ void block_order(int* order, unsigned* counter) {
  if (threadIdx.x == 0) order[blockIdx.x] = static_cast<int>(atomicAdd(counter, 1u));
}

template <Wait kWait>
__device__ void wait_for_grid(unsigned* counter) {
  __syncthreads();
  if (threadIdx.x == 0) {
    __threadfence();
    atomicAdd(counter, 1u);
    if constexpr (kWait == Wait::kAtomic) {
      while (atomicAdd(counter, 0u) < gridDim.x) {
      }
    } else if constexpr (kWait == Wait::kAtomicSleep) {
      while (atomicAdd(counter, 0u) < gridDim.x) __nanosleep(20);
    } else {
      while (*static_cast<const volatile unsigned*>(counter) < gridDim.x) __nanosleep(20);
    }
    __threadfence();
  }
  __syncthreads();
}

template <Wait kWait>
__global__ void grid_barrier(float* x, float* out, unsigned* counter) {
  if (threadIdx.x == 0) x[blockIdx.x] = 1;
  wait_for_grid<kWait>(counter);
  if (threadIdx.x != 0) return;
  float total = 0;
  for (unsigned b = 0; b < gridDim.x; ++b) total += x[b];
  out[blockIdx.x] = total;
}

__global__ void big_shared(float* out, int floats) {
  DYNAMIC_SHARED(float, values);
  for (int i = static_cast<int>(threadIdx.x); i < floats; i += static_cast<int>(blockDim.x)) values[i] = 7;
  __syncthreads();
  if (threadIdx.x == 0) *out = values[floats - 1];
}

}  // namespace

cudaError_t launch_scale(float* x, int n, float factor, cudaStream_t stream) {
  return launch(scale, {blocks(n, kBlock)}, {kBlock}, 0, stream, x, n, factor);
}
cudaError_t launch_shape(float* x, dim3 grid, dim3 block) {
  return launch(scale, grid, block, 0, nullptr, x, 1, 2.0f);
}
cudaError_t launch_add(const float* x, float* y, int n, cudaStream_t stream) {
  return launch(add, {blocks(n, kBlock * 4)}, {kBlock}, 0, stream, x, y, n);
}
cudaError_t launch_sum(const float* x, float* out, int n, cudaStream_t stream) {
  return launch(sum<kBlock>, {blocks(n, kBlock * 4)}, {kBlock}, 0, stream, x, out, n);
}
cudaError_t launch_column_sums(const float* x, float* sums, int rows, int columns, cudaStream_t stream) {
  return launch(column_sums, {blocks(columns, 32)}, {32, 4}, 4 * 32 * sizeof(float), stream, x, sums, rows,
                columns);
}
cudaError_t launch_row_sums(const float* x, float* sums, int rows, int columns, cudaStream_t stream) {
  return launch(row_sums, {blocks(rows, kBlock / 32)}, {kBlock}, 0, stream, x, sums, rows, columns);
}
cudaError_t launch_last_block_sum(const float* x, float* partial, unsigned* counter, float* out, int n,
                                  int block_count, cudaStream_t stream) {
  return launch(last_block_sum, {static_cast<unsigned>(block_count)}, {kBlock}, 0, stream, x, partial,
                counter, out, n);
}
cudaError_t launch_warp_operations(WarpResults* results, cudaStream_t stream) {
  return launch(warp_operations, {1}, {32}, 0, stream, results);
}
cudaError_t launch_barrier_votes(BarrierResults* results, cudaStream_t stream) {
  return launch(barrier_votes, {1}, {100}, 0, stream, results);
}
cudaError_t launch_atomics(AtomicResults* results, cudaStream_t stream) {
  return launch(atomics, {1}, {100}, 0, stream, results);
}
cudaError_t launch_math(MathResults* results, cudaStream_t stream) {
  return launch(math, {1}, {1}, 0, stream, results);
}
cudaError_t launch_copy(const Views& views, cudaStream_t stream) {
  return launch(copy, {blocks(views.count, kBlock)}, {kBlock}, 0, stream, views);
}
cudaError_t launch_block_order(int* order, unsigned* counter, int block_count, cudaStream_t stream) {
  return launch(block_order, {static_cast<unsigned>(block_count)}, {8}, 0, stream, order, counter);
}
cudaError_t launch_grid_barrier(float* x, float* out, unsigned* counter, int block_count, Wait wait,
                                bool cooperative, cudaStream_t stream) {
  const auto kernel = wait == Wait::kAtomic        ? grid_barrier<Wait::kAtomic>
                      : wait == Wait::kAtomicSleep ? grid_barrier<Wait::kAtomicSleep>
                                                   : grid_barrier<Wait::kVolatileSleep>;
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeCooperative;
  attribute.val.cooperative = cooperative;
  cudaLaunchConfig_t config = shape({static_cast<unsigned>(block_count)}, {64}, 0, stream);
  config.attrs = &attribute;
  config.numAttrs = 1;
  return cudaLaunchKernelEx(&config, kernel, x, out, counter);
}
cudaError_t launch_big_shared(float* out, int floats, bool raise_limit, cudaStream_t stream) {
  const int bytes = floats * static_cast<int>(sizeof(float));
  if (raise_limit) {
    const cudaError_t error =
        cudaFuncSetAttribute(big_shared, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
    if (error != cudaSuccess) return error;
  }
  return launch(big_shared, {1}, {32}, static_cast<std::size_t>(bytes), stream, out, floats);
}

}  // namespace warpfit::emulation::test
