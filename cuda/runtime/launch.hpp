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
  check(cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...), "launching a kernel");
}

/// How many blocks of `block` cover `size`, at most `most`: kernels go on from there in strides of the grid.
inline unsigned blocks_for(long long size, int block, long long most) {
  const long long blocks = (size + block - 1) / block;
  return static_cast<unsigned>(blocks < 1 ? 1 : blocks > most ? most : blocks);
}

}  // namespace warpfit
