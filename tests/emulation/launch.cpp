// Kernel launches: CUDA's checks of the configuration, the emulation's checks of the arguments, and the run.
#include <cuda_runtime_api.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <memory>

#include "tests/emulation/device_runtime.hpp"
#include "tests/emulation/grid.hpp"
#include "tests/emulation/limits.hpp"
#include "tests/emulation/runtime.hpp"
#include "tests/emulation/symbols.hpp"

namespace warpfit::emulation {
namespace {

int dynamic_limit(const void* kernel) {
  const auto& raised = runtime().shared_memory_limits;
  const auto found = raised.find(kernel);
  return found != raised.end() ? found->second : kSharedPerBlock;
}

int blocks_per_multiprocessor(int threads, std::size_t dynamic_shared) {
  if (threads <= 0 || threads > kThreadsPerBlock) return 0;
  const std::size_t shared = dynamic_shared + 1024;  // bytes that the system reserves for each block
  const int rounded = (threads + 31) / 32 * 32;
  return std::min({runtime().config.resident_blocks, kThreadsPerMultiprocessor / rounded,
                   kBlocksPerMultiprocessor, static_cast<int>(kSharedPerMultiprocessor / shared)});
}

std::size_t volume(dim3 d) { return std::size_t{d.x} * d.y * d.z; }

cudaError_t check(const cudaLaunchConfig_t& config, const void* kernel, bool cooperative) {
  const dim3 grid = config.gridDim;
  const dim3 block = config.blockDim;
  if (volume(block) == 0 || volume(block) > kThreadsPerBlock || block.z > 64)
    return cudaErrorInvalidConfiguration;
  if (volume(grid) == 0 || grid.x > 2147483647u || grid.y > 65535 || grid.z > 65535) {
    return cudaErrorInvalidConfiguration;
  }
  if (config.dynamicSmemBytes > static_cast<std::size_t>(dynamic_limit(kernel))) return cudaErrorInvalidValue;
  if (!cooperative) return cudaSuccess;
  const int resident = blocks_per_multiprocessor(static_cast<int>(volume(block)), config.dynamicSmemBytes) *
                       runtime().config.multiprocessors;
  return volume(grid) <= static_cast<std::size_t>(resident) ? cudaSuccess
                                                            : cudaErrorCooperativeLaunchTooLarge;
}

/// True if a page of the process is mapped at this address.
bool mapped(const void* address) {
  unsigned char resident = 0;
  auto* page = reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(address) & ~std::uintptr_t{4095});
  return mincore(page, 1, &resident) == 0;
}

void check_pointers(const char* name, const std::vector<PointerArgument>& pointers) {
  const Memory& memory = runtime().memory;
  for (const auto& [index, byte, pointer] : pointers) {
    if (pointer == nullptr || memory.find(pointer, true) != nullptr) continue;
    if (byte < 0) fail("kernel %s: argument %d points %s", name, index, memory.describe(pointer).c_str());
    if (!memory.freed(pointer) && !mapped(pointer)) continue;  // a number that is not a pointer
    fail("kernel %s: argument %d holds a pointer at byte %d, %s", name, index, byte,
         memory.describe(pointer).c_str());
  }
}

}  // namespace

cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel,
                   std::vector<PointerArgument> pointers, std::function<void()> body) {
  return call("cudaLaunchKernelEx", CaptureRule::kAllowed, [&] {
    const auto stream = find_stream(config.stream);
    if (!stream) return cudaErrorInvalidResourceHandle;
    Launch launch;
    for (unsigned i = 0; i < config.numAttrs; ++i) {
      const cudaLaunchAttribute& attribute = config.attrs[i];
      if (attribute.id == cudaLaunchAttributeCooperative) launch.cooperative = attribute.val.cooperative != 0;
      if (attribute.id == cudaLaunchAttributeClusterDimension) return cudaErrorNotSupported;
    }
    const cudaError_t error = check(config, kernel, launch.cooperative);
    if (error != cudaSuccess) return error;
    launch.name = kernel_name(kernel);
    launch.grid = config.gridDim;
    launch.block = config.blockDim;
    launch.dynamic_shared = config.dynamicSmemBytes;
    launch.shared_limit = static_cast<std::size_t>(std::max(kSharedPerBlock, dynamic_limit(kernel)));
    check_pointers(launch.name, pointers);
    return submit(*stream, [launch, pointers = std::move(pointers), body = std::move(body)] {
      check_pointers(launch.name, pointers);
      try {
        run_grid(launch, body);
      } catch (const Trap&) {
        runtime().sticky_error = cudaErrorLaunchFailure;
      }
    });
  });
}

}  // namespace warpfit::emulation

using namespace warpfit::emulation;

cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t*, const void* kernel, void**) {
  fail("kernel %s is launched from a file that was compiled without device.hpp before it",
       kernel_name(kernel));
}

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  return call("cudaFuncSetAttribute", CaptureRule::kAllowed, [=] {
    if (attribute == cudaFuncAttributePreferredSharedMemoryCarveout) return cudaSuccess;
    if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize || value < 0 ||
        value > kSharedPerBlockRaised) {
      return cudaErrorInvalidValue;
    }
    runtime().shared_memory_limits[kernel] = value;
    return cudaSuccess;
  });
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* kernel) {
  return call("cudaFuncGetAttributes", CaptureRule::kAllowed, [=] {
    *attributes = {};
    attributes->maxThreadsPerBlock = kThreadsPerBlock;
    attributes->numRegs = 32;
    attributes->ptxVersion = attributes->binaryVersion = 90;
    attributes->maxDynamicSharedSizeBytes = dynamic_limit(kernel);
    return cudaSuccess;
  });
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void*, int threads,
                                                          std::size_t dynamic_shared) {
  return call("cudaOccupancyMaxActiveBlocksPerMultiprocessor", CaptureRule::kAllowed, [=] {
    if (blocks == nullptr || threads <= 0) return cudaErrorInvalidValue;
    *blocks = blocks_per_multiprocessor(threads, dynamic_shared);
    return cudaSuccess;
  });
}
