// Options for making a backend.
#pragma once

#include <functional>
#include <string_view>

#include "host/backend/backend.hpp"

namespace warpfit {

struct DeviceChoice {
  enum class Kind { kAuto, kCpu, kCuda };
  Kind kind = Kind::kAuto;
  int index = 0;        ///< which GPU, from 0
  bool any_gpu = true;  ///< of several processes, each takes one of its own in place of `index`
};

/// Which kernels compute the fp32 matrix products of linear layers on a GPU.
enum class ProductKernels { kByShape, kOwn, kBlas };

struct BackendOptions {
  DeviceChoice device;
  int threads = 0;  ///< CPU threads; 0 for all usable cores
  Precision precision = Precision::kFp32;
  bool fast = false;  ///< convolutions on a GPU may differ from run to run, or round more
  std::function<void(std::string_view)> warn = [](std::string_view) {};  ///< receives warnings
  Communicator* communicator = nullptr;  ///< must outlive the backend; null if the process is alone
  ProductKernels products = ProductKernels::kByShape;  ///< others are for tests and benchmarks
};

}  // namespace warpfit
