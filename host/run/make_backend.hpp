// Creates the backend for a chosen device.
#pragma once

#include <memory>
#include <thread>

#include "host/backend/backend_options.hpp"

namespace warpfit {

/// Creates the chosen backend. `auto` selects a GPU if there is one that can run the kernels of this build,
/// and the CPU otherwise; an existing GPU that cannot be used is reported through `warn`.
/// Errors: DeviceError if the chosen GPU does not exist or cannot be used; UsageError if the device does not
/// support the chosen precision.
std::unique_ptr<Backend> make_backend(const BackendOptions& options);

/// Initializes the device that make_backend() will use in a separate thread, while the caller does other
/// work: loading the CUDA libraries and creating a context take longer than decompressing a data set. The
/// destructor waits for the thread.
class DeviceWarmUp {
 public:
  explicit DeviceWarmUp(const DeviceChoice& device);
  DeviceWarmUp(const DeviceWarmUp&) = delete;
  DeviceWarmUp& operator=(const DeviceWarmUp&) = delete;
  ~DeviceWarmUp();

 private:
  std::thread thread_;
};

}  // namespace warpfit
