// The upload pipeline of a trainer: two pinned slots, a copy stream and a compute stream.
#pragma once

#include "tests/emulation/machine.hpp"
#include "tests/emulation/test_kernels.hpp"

namespace warpfit::emulation::test {

enum class Hazard {
  kNone,
  kRefillTooEarly,     // the host writes a pinned slot while its copy may run
  kOverwriteTooEarly,  // the copy overwrites a device slot that kernels may still read
  kReadTooEarly,       // kernels read a device slot before its copy is complete
  kNoFinalWait,        // the host reads the result before it is available
};

struct PipelineResult {
  float got;
  float wanted;
};

inline PipelineResult run_pipeline(Hazard hazard) {
  constexpr int kSize = 300;
  constexpr int kSteps = 12;
  const TestStream copying;
  const TestStream computing;
  const PinnedArray<float> host[2] = {PinnedArray<float>(kSize), PinnedArray<float>(kSize)};
  const DeviceArray<float> device[2] = {DeviceArray<float>(kSize), DeviceArray<float>(kSize)};
  const TestEvent uploaded[2];
  const TestEvent used[2];
  const DeviceArray<float> sum(1, 0.0f);
  const PinnedArray<float> result(1);
  result[0] = 0;
  float wanted = 0;
  for (int step = 0; step < kSteps; ++step) {
    const int slot = step % 2;
    if (hazard != Hazard::kRefillTooEarly) {
      EXPECT_EQ(cudaEventSynchronize(uploaded[slot]), cudaSuccess);
    }
    for (float& value : host[slot]) value = static_cast<float>(step + 1);
    wanted += static_cast<float>(kSize * (step + 1));
    if (hazard != Hazard::kOverwriteTooEarly) {
      EXPECT_EQ(cudaStreamWaitEvent(copying, used[slot], 0), cudaSuccess);
    }
    EXPECT_EQ(cudaMemcpyAsync(device[slot].get(), host[slot].get(), device[slot].bytes(),
                              cudaMemcpyHostToDevice, copying),
              cudaSuccess);
    EXPECT_EQ(cudaEventRecord(uploaded[slot], copying), cudaSuccess);
    if (hazard != Hazard::kReadTooEarly) {
      EXPECT_EQ(cudaStreamWaitEvent(computing, uploaded[slot], 0), cudaSuccess);
    }
    EXPECT_EQ(launch_sum(device[slot].get(), sum.get(), kSize, computing), cudaSuccess);
    EXPECT_EQ(cudaEventRecord(used[slot], computing), cudaSuccess);
  }
  EXPECT_EQ(cudaMemcpyAsync(result.get(), sum.get(), sizeof(float), cudaMemcpyDeviceToHost, computing),
            cudaSuccess);
  if (hazard != Hazard::kNoFinalWait) {
    EXPECT_EQ(cudaStreamSynchronize(computing), cudaSuccess);
  }
  return {result[0], wanted};
}

}  // namespace warpfit::emulation::test
