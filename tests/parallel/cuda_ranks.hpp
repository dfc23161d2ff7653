// Ranks that are threads of this process, each with an emulated GPU of its own.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "host/parallel/thread_ranks.hpp"
#include "host/run/make_backend.hpp"
#include "tests/emulation/emulation.hpp"

namespace warpfit::test {

inline constexpr int kMaxRanks = 8;

/// The backend of a rank, on the GPU with the rank's number.
inline std::unique_ptr<Backend> cuda_rank(Communicator& communicator,
                                          ProductKernels products = ProductKernels::kByShape) {
  BackendOptions options;
  options.device = {DeviceChoice::Kind::kCuda, communicator.rank()};
  options.communicator = &communicator;
  options.products = products;
  return make_backend(options);
}

/// A machine with a GPU for each rank.
class WithCudaRanks {
 public:
  WithCudaRanks() { configure(before_); }
  ~WithCudaRanks() { emulation::configure(before_); }
  WithCudaRanks(const WithCudaRanks&) = delete;
  WithCudaRanks& operator=(const WithCudaRanks&) = delete;

  /// Starts a new machine with this configuration, but for the number of GPUs.
  static void configure(emulation::Config config) {
    config.devices = kMaxRanks;
    emulation::configure(config);
  }

 private:
  emulation::Config before_ = emulation::config();
};

}  // namespace warpfit::test
