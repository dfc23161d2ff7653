// Detection by the sanitizers in kernels and streams: each planted fault ends the program under the sanitizer
// that can detect it, and the same work done correctly does not.
#include "tests/emulation/machine.hpp"
#include "tests/emulation/pipeline.hpp"
#include "tests/emulation/test_kernels.hpp"

namespace warpfit::emulation::test {
namespace {

class Sanitizers : public testing::Test {
 protected:
  Sanitizers() {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    configure({});
  }
  ~Sanitizers() override { configure({}); }

  static void run(Fault fault, int size = 100) {
    const DeviceArray<float> out(static_cast<std::size_t>(size), 0.0f);
    EXPECT_EQ(launch_faulty(fault, out.get(), size, nullptr), cudaSuccess);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  }
};

class AddressSanitizer : public Sanitizers {
 protected:
  void SetUp() override {
    if (!kAddressSanitizer) GTEST_SKIP() << "not built with AddressSanitizer";
  }
};

TEST_F(AddressSanitizer, SeesTheFirstByteAfterDeviceMemory) {
  EXPECT_DEATH(run(Fault::kPastTheEnd), "AddressSanitizer: use-after-poison");
  EXPECT_DEATH(run(Fault::kBeforeTheStart), "AddressSanitizer: use-after-poison");
  EXPECT_DEATH(run(Fault::kFarPastTheEnd), "AddressSanitizer: SEGV");
}

TEST_F(AddressSanitizer, SeesTheFirstByteAfterASharedArray) {
  EXPECT_DEATH(run(Fault::kPastShared), "AddressSanitizer: heap-buffer-overflow|index 64 out of bounds");
}

TEST_F(AddressSanitizer, SeesMisalignedVectors) {
  EXPECT_DEATH(run(Fault::kMisaligned), "misaligned address .* for type 'const (struct )?float4'");
}

TEST_F(AddressSanitizer, SeesUseAfterFree) {
  EXPECT_DEATH(
      {
        const DeviceArray<float> x(10);
        const volatile float* gone = x.get();
        static_cast<void>(cudaFree(x.get()));
        static_cast<void>(*gone);
      },
      "AddressSanitizer: use-after-poison");
}

class ThreadSanitizer : public Sanitizers {
 protected:
  void SetUp() override {
    if (!kThreadSanitizer) GTEST_SKIP() << "not built with ThreadSanitizer";
  }
};

TEST_F(ThreadSanitizer, SeesRacesInKernels) {
  run(Fault::kNone, 128);
  run(Fault::kNoRace, 128);
  for (const Fault fault : {Fault::kRaceInShared, Fault::kRaceInWarp, Fault::kRaceBetweenBlocks,
                            Fault::kRaceWithAtomic, Fault::kRaceWithoutFence}) {
    SCOPED_TRACE(testing::Message() << "fault " << static_cast<int>(fault));
    EXPECT_DEATH(run(fault, 128), "ThreadSanitizer: data race");
  }
}

TEST_F(ThreadSanitizer, SeesEveryHazardOfThePipelineWithEagerStreamsToo) {
  for (const Config::Streams streams : {Config::Streams::kEager, Config::Streams::kLazy}) {
    SCOPED_TRACE(streams == Config::Streams::kEager ? "eager" : "lazy");
    configure(in_mode(Config::Order::kForward, streams));
    EXPECT_EQ(run_pipeline(Hazard::kNone).got, 300.0f * 78);
    for (const Hazard hazard :
         {Hazard::kRefillTooEarly, Hazard::kOverwriteTooEarly, Hazard::kReadTooEarly, Hazard::kNoFinalWait}) {
      SCOPED_TRACE(testing::Message() << "hazard " << static_cast<int>(hazard));
      EXPECT_DEATH(static_cast<void>(run_pipeline(hazard)), "ThreadSanitizer: data race");
    }
  }
}

}  // namespace
}  // namespace warpfit::emulation::test
