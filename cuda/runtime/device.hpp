// Queries about the available GPUs.
#pragma once

#include <cstddef>
#include <string>

#include "host/backend/cuda_interface.hpp"

namespace warpfit {

/// Number of GPUs that this process can use; if 0, `why` contains the reason.
int count_devices(NoCuda& why);

/// Makes `device` the current device of the calling thread. Errors: DeviceError.
void use_device(int device);

/// "NVIDIA H100 80GB HBM3, 79.2 GiB, compute capability 9.0, driver 13.0, CUDA 13.0"
std::string describe_device(int device);

/// The limits of a launch whose blocks wait for each other.
struct DeviceLimits {
  int multiprocessors = 0;
  std::size_t shared_bytes = 0;  ///< maximum per block
  bool cooperative = false;      ///< whether cooperative launches are supported
};
DeviceLimits device_limits(int device);

/// Bytes that can currently be allocated on the calling thread's device.
std::size_t free_device_bytes();

}  // namespace warpfit
