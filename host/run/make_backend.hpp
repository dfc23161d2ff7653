// From the choice of a device to a backend.
#pragma once

#include <memory>
#include <thread>

#include "host/backend/backend_options.hpp"

namespace warpfit {

/// Makes the chosen backend. `auto` takes a GPU if there is one that can run this build's kernels, else the
/// CPU; a GPU that is there but cannot be used is reported through `warn`.
/// Errors: DeviceError if the chosen GPU is not there or cannot be used; UsageError if the device does not
/// have the chosen precision.
std::unique_ptr<Backend> make_backend(const BackendOptions& options);

/// Starts the device that make_backend() will use, in a thread, while the caller does other work: loading
/// CUDA's libraries and creating a context take longer than decompressing a data set. The destructor waits
/// for the thread.
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
