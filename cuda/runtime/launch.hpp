// Launches kernels with error checking. All kernels are launched through this file, in plain C++ that any
// compiler accepts.
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
  bool cooperative = false;        ///< all blocks run at the same time, or the launch fails
};

/// Queues kernel<<<shape>>>(arguments...) on the stream. Errors: DeviceError if it cannot be launched.
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

/// Allows the kernel to use this much dynamic shared memory, if it is more than 48 KiB.
template <class... Parameters>
void allow_shared_memory(void (*kernel)(Parameters...), int bytes) {
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes),
        "setting a kernel's shared memory size");
}

/// The number of blocks, of `block` threads with `dynamic_shared` bytes, that fit on a multiprocessor at a
/// time.
template <class... Parameters>
int resident_blocks(void (*kernel)(Parameters...), int block, std::size_t dynamic_shared) {
  int blocks = 0;
  check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, block, dynamic_shared),
        "querying how many blocks fit on a multiprocessor");
  return blocks;
}

/// The number of blocks of the kernel, of `block` threads, that the calling thread's device can run at a
/// time; at least 1.
template <class... Parameters>
long long blocks_at_once(void (*kernel)(Parameters...), int block) {
  int device = 0;
  int multiprocessors = 0;
  check(cudaGetDevice(&device), "querying the current device");
  check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device),
        "querying the number of multiprocessors");
  return std::max(1LL, static_cast<long long>(multiprocessors) * resident_blocks(kernel, block, 0));
}

/// The number of blocks of `block` threads that cover `size`, from 1 to `max_blocks`.
inline unsigned blocks_for(long long size, int block, long long max_blocks) {
  return static_cast<unsigned>(std::clamp((size + block - 1) / block, 1LL, max_blocks));
}

/// Launches a kernel with a grid-stride loop over `size` elements. The grid has at most as many blocks as can
/// run at a time: more would only wait.
template <class... Parameters, class... Arguments>
void launch_along(void (*kernel)(Parameters...), long long size, int block, cudaStream_t stream,
                  Arguments... arguments) {
  launch(kernel, {blocks_for(size, block, blocks_at_once(kernel, block)), static_cast<unsigned>(block)},
         stream, arguments...);
}

/// The same for the elements of a matrix: x threads process a row, y blocks different rows.
template <class... Parameters, class... Arguments>
void launch_over(void (*kernel)(Parameters...), long long rows, long long cols, int block,
                 cudaStream_t stream, Arguments... arguments) {
  constexpr long long kMaxRows = 65'535;  // maximum y dimension of a grid
  const long long max_blocks = blocks_at_once(kernel, block);
  const unsigned along = blocks_for(cols, block, max_blocks);
  const unsigned down = blocks_for(rows, 1, std::clamp(max_blocks / along, 1LL, kMaxRows));
  launch(kernel, {{along, down}, static_cast<unsigned>(block)}, stream, arguments...);
}

}  // namespace warpfit
