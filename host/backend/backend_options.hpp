// What a backend is made from.
#pragma once

#include <functional>
#include <string_view>

#include "host/backend/backend.hpp"

namespace warpfit {

struct DeviceChoice {
  enum class Kind { kAuto, kCpu, kCuda };
  Kind kind = Kind::kAuto;
  int index = 0;  ///< which GPU, from 0
};

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

}  // namespace warpfit
