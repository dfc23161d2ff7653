// The one way to launch a kernel: checked, and plain C++ that any compiler reads.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
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
        "setting a kernel's shared memory size");
}

/// How many blocks of `block` threads with `dynamic_shared` bytes a multiprocessor can hold at once.
template <class... Parameters>
int resident_blocks(void (*kernel)(Parameters...), int block, std::size_t dynamic_shared) {
  int blocks = 0;
  check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, block, dynamic_shared),
        "querying how many blocks fit on a multiprocessor");
  return blocks;
}

/// How many blocks of `block` threads of the kernel the calling thread's device runs at once, 1 at least.
template <class... Parameters>
long long blocks_at_once(void (*kernel)(Parameters...), int block) {
  int device = 0;
  int multiprocessors = 0;
  check(cudaGetDevice(&device), "querying the current device");
  check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device),
        "querying the number of multiprocessors");
  return std::max(1LL, static_cast<long long>(multiprocessors) * resident_blocks(kernel, block, 0));
}

/// How many blocks of `block` cover `size`, at least 1 and at most `max_blocks`.
inline unsigned blocks_for(long long size, int block, long long max_blocks) {
  return static_cast<unsigned>(std::clamp((size + block - 1) / block, 1LL, max_blocks));
}

/// launch() of a kernel whose threads go along `size` pieces of work in strides of the grid. It gets no more
/// blocks than run at once: others would only wait for these.
template <class... Parameters, class... Arguments>
void launch_along(void (*kernel)(Parameters...), long long size, int block, cudaStream_t stream,
                  Arguments... arguments) {
  launch(kernel, {blocks_for(size, block, blocks_at_once(kernel, block)), static_cast<unsigned>(block)},
         stream, arguments...);
}

/// Likewise over a matrix of work: threads of x go along a row, blocks of y down the rows.
template <class... Parameters, class... Arguments>
void launch_over(void (*kernel)(Parameters...), long long rows, long long cols, int block,
                 cudaStream_t stream, Arguments... arguments) {
  constexpr long long kMaxRows = 65'535;  // a grid's y
  const long long max_blocks = blocks_at_once(kernel, block);
  const unsigned along = blocks_for(cols, block, max_blocks);
  const unsigned down = blocks_for(rows, 1, std::clamp(max_blocks / along, 1LL, kMaxRows));
  launch(kernel, {{along, down}, static_cast<unsigned>(block)}, stream, arguments...);
}

}  // namespace warpfit
