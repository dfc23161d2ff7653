// What GPUs there are.
#pragma once

#include <cstddef>
#include <string>

#include "host/backend/cuda_interface.hpp"

namespace warpfit {

/// How many GPUs this process can use; if none, `why` says why.
int count_devices(NoCuda& why);

/// Makes it the calling thread's device. Errors: DeviceError.
void use_device(int device);

/// "NVIDIA H100 80GB HBM3, 79.2 GiB, compute capability 9.0, driver 13.0, CUDA 13.0"
std::string describe_device(int device);

/// What bounds a launch of blocks that wait for each other.
struct DeviceLimits {
  int multiprocessors = 0;
  std::size_t shared_bytes = 0;  ///< a block's, at most
  bool cooperative = false;      ///< all blocks of a launch can be made to run at once
};
DeviceLimits device_limits(int device);

/// Bytes that could be allocated now on the calling thread's device.
std::size_t free_device_bytes();

}  // namespace warpfit
