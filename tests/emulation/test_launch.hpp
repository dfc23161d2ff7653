// Short forms of launches for the emulation's own tests.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <utility>

namespace warpfit::emulation::test {

inline cudaLaunchConfig_t shape(dim3 grid, dim3 block, std::size_t dynamic_shared, cudaStream_t stream) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = dynamic_shared;
  config.stream = stream;
  return config;
}

template <class... Parameters, class... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t dynamic_shared,
                   cudaStream_t stream, Arguments&&... arguments) {
  const cudaLaunchConfig_t config = shape(grid, block, dynamic_shared, stream);
  return cudaLaunchKernelEx(&config, kernel, std::forward<Arguments>(arguments)...);
}

/// The number of blocks that covers n, at most 64: kernels use grid-stride loops.
inline unsigned blocks(int n, int a_block) {
  const int count = (n + a_block - 1) / a_block;
  return static_cast<unsigned>(count < 1 ? 1 : count > 64 ? 64 : count);
}

}  // namespace warpfit::emulation::test
