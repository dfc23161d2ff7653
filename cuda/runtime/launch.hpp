// The one way to launch a kernel: checked, and plain C++ that any compiler reads.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <type_traits>

#include "cuda/runtime/check.hpp"

namespace warpfit {

struct LaunchShape {
  dim3 grid;
  dim3 block;
  std::size_t dynamic_shared = 0;  ///< bytes
  bool cooperative = false;        ///< all blocks run at once, or none
};

/// Queues kernel<<<shape>>>(arguments...) on the stream. Errors: DeviceError where it cannot be launched.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const LaunchShape& shape, cudaStream_t stream,
            Arguments... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = shape.grid;
  config.blockDim = shape.block;
  config.dynamicSmemBytes = shape.dynamic_shared;
  config.stream = stream;
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeCooperative;
  attribute.val.cooperative = 1;
  config.attrs = &attribute;
  config.numAttrs = shape.cooperative ? 1 : 0;
  check(cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...), "launching a kernel");
}

/// Lets the kernel be launched with so many bytes of dynamic shared memory, where they are more than 48 KiB.
template <class... Parameters>
void allow_shared_memory(void (*kernel)(Parameters...), int bytes) {
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes),
        "giving a kernel shared memory");
}

/// How many blocks of `block` threads with `dynamic_shared` bytes a multiprocessor can hold at once.
template <class... Parameters>
int resident_blocks(void (*kernel)(Parameters...), int block, std::size_t dynamic_shared) {
  int blocks = 0;
  check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, block, dynamic_shared),
        "asking how many blocks fit on a multiprocessor");
  return blocks;
}

/// How many blocks of `block` cover `size`, at most `most`: kernels go on from there in strides of the grid.
inline unsigned blocks_for(long long size, int block, long long most) {
  const long long blocks = (size + block - 1) / block;
  return static_cast<unsigned>(blocks < 1 ? 1 : blocks > most ? most : blocks);
}

}  // namespace warpfit
