// From `--device` to a backend.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <thread>

#include "host/backend/backend.hpp"

namespace warpfit {

struct DeviceChoice {
  enum class Kind { kAuto, kCpu, kCuda };
  Kind kind = Kind::kAuto;
  int index = 0;  ///< which GPU, from 0
};

/// Reads `auto`, `cpu`, `cuda` or `cuda:N`; UsageError for anything else.
DeviceChoice parse_device(std::string_view text);

/// Who computes the products of linear layers on a GPU, where they are in fp32.
enum class ProductKernels { kByShape, kOwn, kBlas };

struct BackendOptions {
  DeviceChoice device;
  int threads = 0;  ///< of the CPU, 0 for all usable cores
  Precision precision = Precision::kFp32;
  std::function<void(std::string_view)> warn = [](std::string_view) {
  };                                                   ///< told what works, but not as it should
  ProductKernels products = ProductKernels::kByShape;  ///< other than by shape for tests and benchmarks
};

/// Makes the chosen backend. `auto` takes a GPU if there is one that can run this build's kernels, else the
/// CPU; a GPU that is there but cannot be used is reported through `warn`.
/// Errors: DeviceError if the chosen GPU is not there or cannot be used; UsageError if the device does not
/// have the chosen precision.
std::unique_ptr<Backend> make_backend(const BackendOptions& options);

/// Begins to start the device that make_backend() will use, where that takes time, beside what else is to be
/// done before: loading CUDA's libraries and creating its context take longer than decoding a data set. It
/// ends with its scope.
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
