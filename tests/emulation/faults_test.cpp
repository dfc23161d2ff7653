// Each check of kernels detects a planted fault, in every order of threads, and reports the source line.
#include <cmath>

#include "tests/emulation/machine.hpp"
#include "tests/emulation/test_kernels.hpp"

namespace warpfit::emulation::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

constexpr int kSize = 100;  // 400 bytes: leaves some margin before the next page

class Faults : public InEachMode {
 protected:
  std::string failure(Fault fault) {
    const DeviceArray<float> out(kSize, 0.0f);
    return failure_of([&] {
      EXPECT_EQ(launch_faulty(fault, out.get(), kSize, nullptr), cudaSuccess);
      static_cast<void>(cudaDeviceSynchronize());
    });
  }
};

TEST_P(Faults, NoneWithoutOne) {
  EXPECT_EQ(failure(Fault::kNone), "");
  EXPECT_EQ(failure(Fault::kNoRace), "");
}

TEST_P(Faults, DivergentBarrier) {
  EXPECT_THAT(
      failure(Fault::kDivergentBarrier),
      AllOf(HasSubstr("kernel barriers<"), HasSubstr("divergent __syncthreads: block (0,0,0) thread (0,0,0)"),
            ContainsRegex("faulty_kernels.cu:[0-9]+, block .0,0,0. thread .32,0,0.")));
}

TEST_P(Faults, BarrierAfterExit) {
  EXPECT_THAT(failure(Fault::kBarrierAfterExit),
              ContainsRegex("__syncthreads at faulty_kernels.cu:[0-9]+ after 1 of the block's 64 threads"));
}

TEST_P(Faults, DeadlockNamesTheWaitingThreads) {
  EXPECT_THAT(
      failure(Fault::kBarrierInBranch),
      AllOf(HasSubstr("deadlock: 64 threads wait"), HasSubstr("waits in __syncthreads at faulty_kernels.cu"),
            HasSubstr("waits in an operation of its warp at faulty_kernels.cu")));
  EXPECT_THAT(failure(Fault::kWaitForeverInWarp), HasSubstr("deadlock: 64 threads wait"));
}

TEST_P(Faults, WaitingForever) {
  EXPECT_THAT(failure(Fault::kWaitForever), AllOf(HasSubstr("deadlock: 1 threads wait"),
                                                  HasSubstr("waits in a loop at faulty_kernels.cu")));
}

TEST_P(Faults, CopiesToSharedMemory) {
  EXPECT_THAT(failure(Fault::kUnfinishedCopy),
              HasSubstr("block (0,0,0) thread (9,0,0) exits with 1 copies that it has not waited for"));
  EXPECT_THAT(failure(Fault::kMisalignedCopy), HasSubstr("expected 4, 8 or 16 bytes, and pointers aligned"));
}

TEST_P(Faults, MasksAndOperationsOfAWarp) {
  EXPECT_THAT(failure(Fault::kOwnLaneNotInMask), HasSubstr("a lane is not in its own mask 0000ffff"));
  EXPECT_THAT(failure(Fault::kDifferentMasks), AllOf(HasSubstr("the warp's operations do not match"),
                                                     HasSubstr("7fffffff"), HasSubstr("ffffffff")));
  EXPECT_THAT(failure(Fault::kDifferentOperations), HasSubstr("the warp's operations do not match"));
  EXPECT_THAT(failure(Fault::kBadWidth), HasSubstr("a shuffle's width is 12"));
}

TEST_P(Faults, BlocksThatWaitNeedACooperativeLaunch) {
  const DeviceArray<float> x(4);
  const DeviceArray<float> out(4);
  const DeviceArray<unsigned> counter(1, 0u);
  EXPECT_THAT(failure_of([&] {
                static_cast<void>(launch_grid_barrier(x.get(), out.get(), counter.get(), 4,
                                                      Wait::kAtomicSleep, false, nullptr));
                static_cast<void>(cudaDeviceSynchronize());
              }),
              HasSubstr("blocks of a launch that is not cooperative cannot wait for each other"));
}

TEST_P(Faults, StaticSharedMemoryHasALimit) {
  EXPECT_THAT(failure(Fault::kTooMuchShared),
              HasSubstr("52000 bytes of shared memory; the launch allows 49152"));
}

TEST_P(Faults, SharedMemoryIsNanInEachBlock) {
  const DeviceArray<float> out(64, 0.0f);
  for (int round = 0; round < 2; ++round) {
    WARPFIT_CUDA(launch_faulty(Fault::kUnsetShared, out.get(), 64, nullptr));
    for (const float value : out.values()) ASSERT_TRUE(std::isnan(value));
  }
}

TEST_P(Faults, TrapEndsTheKernelAndTheDevice) {
  const DeviceArray<float> out(kSize, 0.0f);
  EXPECT_EQ(failure_of([&] { static_cast<void>(launch_faulty(Fault::kTrap, out.get(), kSize, nullptr)); }),
            "");
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaMalloc(nullptr, 1), cudaErrorLaunchFailure);
  cudaGetLastError();
}

TEST_P(Faults, WritesOutsideOfDeviceMemory) {
  if (kAddressSanitizer) GTEST_SKIP() << "AddressSanitizer sees them first: see sanitizers_test";
  EXPECT_THAT(
      failure(Fault::kPastTheEnd),
      AllOf(HasSubstr("kernel memory<"), HasSubstr("a write 0 bytes past the end of 400 bytes of device")));
  EXPECT_THAT(failure(Fault::kBeforeTheStart),
              HasSubstr("a write 4 bytes before 400 bytes of device memory"));
}

TEST_P(Faults, AFailureLeavesAMachineThatWorks) {
  EXPECT_NE(failure(Fault::kDivergentBarrier), "");
  EXPECT_NE(failure(Fault::kWaitForeverInWarp), "");
  EXPECT_EQ(failure(Fault::kNone), "");
  EXPECT_EQ(failure(Fault::kNoRace), "");
}

INSTANTIATE_TEST_SUITE_P(Each, Faults, each_mode(), mode_name);

class DeathOfFaults : public OnMachine {
 protected:
  DeathOfFaults() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  static void run(Fault fault) {
    const DeviceArray<float> out(kSize, 0.0f);
    static_cast<void>(launch_faulty(fault, out.get(), kSize, nullptr));
  }
};

TEST_F(DeathOfFaults, ByDefaultAFailureAborts) {
  EXPECT_DEATH(
      {
        configure({});
        run(Fault::kDivergentBarrier);
      },
      "CUDA emulation: kernel barriers<.*divergent __syncthreads");
}

TEST_F(DeathOfFaults, FarReadsAndUsedUpStacksAreExplained) {
  if (kAddressSanitizer || kThreadSanitizer) GTEST_SKIP() << "a sanitizer explains them itself";
  EXPECT_DEATH(run(Fault::kFarPastTheEnd),
               "thread .0,0,0.: an access 1048576 bytes past the end of 400 bytes");
  EXPECT_DEATH(run(Fault::kEndlessRecursion), "thread .0,0,0.: the thread's stack of 256 KB is used up");
  const DeviceArray<float> freed(10);
  EXPECT_DEATH(
      {
        const float* start = freed.get();
        static_cast<void>(cudaFree(freed.get()));
        std::printf("%f", static_cast<double>(*static_cast<const volatile float*>(start)));
      },
      "in device memory that was freed");
  EXPECT_DEATH(
      {
        Config config;
        config.trap_host_access = true;
        configure(config);
        const DeviceArray<float> x(10, 1.0f);
        static_cast<void>(launch_scale(x.get(), 10, 2, nullptr));
        if (x.value() == 2) x.get()[3] = 1;
      },
      "the host accesses device memory: byte 12 of 40 bytes of device memory");
}

}  // namespace
}  // namespace warpfit::emulation::test
