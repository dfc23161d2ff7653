// Kernels that copy to shared memory asynchronously.
#include "cuda/device/kernel.cuh"
#include "tests/emulation/test_kernels.hpp"
#include "tests/emulation/test_launch.hpp"

namespace warpfit::emulation::test {
namespace {

__global__ void async_copy(const float* from, float* out, CopyWait wait) {
  SHARED_ARRAY(float, shared, 64);
  const unsigned i = threadIdx.x;
  __pipeline_memcpy_async(&shared[i], from + i, sizeof(float));
  if (wait != CopyWait::kNotCommitted) __pipeline_commit();
  if (wait != CopyWait::kTooLate) __pipeline_wait_prior(0);
  out[i] = shared[i];
  __pipeline_commit();
  __pipeline_wait_prior(0);
}

/// Copies two floats as two groups and reads the first while the newest group may still be in progress.
__global__ void grouped_copies(const float* from, float* out, CopyWait wait) {
  SHARED_ARRAY(float, shared, 128);
  const unsigned i = threadIdx.x;
  for (unsigned half = 0; half < 2; ++half) {
    __pipeline_memcpy_async(&shared[64 * half + i], from + 64 * half + i, sizeof(float));
    __pipeline_commit();
  }
  __pipeline_wait_prior(wait == CopyWait::kTooLate ? 2 : 1);
  out[i] = shared[i];
  out[64 + i] = shared[64 + i];
  __pipeline_wait_prior(0);
}

}  // namespace

cudaError_t launch_async_copy(const float* from, float* out, CopyWait wait, cudaStream_t stream) {
  return launch(async_copy, {1}, {64}, 0, stream, from, out, wait);
}
cudaError_t launch_grouped_copies(const float* from, float* out, CopyWait wait, cudaStream_t stream) {
  return launch(grouped_copies, {1}, {64}, 0, stream, from, out, wait);
}

}  // namespace warpfit::emulation::test
