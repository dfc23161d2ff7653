// NCCL on the emulated runtime: sums and messages between devices, which one thread drives here, and
// mistakes.
#include <nccl.h>

#include <functional>

#include "tests/emulation/machine.hpp"
#include "tests/emulation/recording.hpp"
#include "tests/emulation/test_kernels.hpp"

namespace warpfit::emulation::test {
namespace {

using testing::HasSubstr;

#define WARPFIT_NCCL(expression) ASSERT_EQ(expression, ncclSuccess)

/// A communicator of two devices with a stream each.
class TwoDevices {
 public:
  TwoDevices() {
    auto config = emulation::config();
    config.devices = 2;
    configure(config);
    ncclUniqueId id{};
    EXPECT_EQ(ncclGetUniqueId(&id), ncclSuccess);
    EXPECT_EQ(ncclGroupStart(), ncclSuccess);
    for (int rank = 0; rank < 2; ++rank) {
      EXPECT_EQ(cudaSetDevice(rank), cudaSuccess);
      EXPECT_EQ(ncclCommInitRank(&communicators[rank], 2, id, rank), ncclSuccess);
      EXPECT_EQ(cudaStreamCreateWithFlags(&streams[rank], cudaStreamNonBlocking), cudaSuccess);
    }
    EXPECT_EQ(ncclGroupEnd(), ncclSuccess);
  }
  ~TwoDevices() { static_cast<void>(cudaSetDevice(0)); }
  TwoDevices(const TwoDevices&) = delete;
  TwoDevices& operator=(const TwoDevices&) = delete;

  ncclResult_t sum(int rank, float* values, std::size_t size) const {
    return ncclAllReduce(values, values, size, ncclFloat32, ncclSum, communicators[rank], streams[rank]);
  }
  ncclResult_t send(int rank, const float* values, std::size_t size) const {
    return ncclSend(values, size, ncclFloat32, 1 - rank, communicators[rank], streams[rank]);
  }
  ncclResult_t receive(int rank, float* values, std::size_t size) const {
    return ncclRecv(values, size, ncclFloat32, 1 - rank, communicators[rank], streams[rank]);
  }
  std::string failure_at_end() const {
    return failure_of([&] {
      for (const auto stream : streams) static_cast<void>(cudaStreamSynchronize(stream));
    });
  }

  ncclComm_t communicators[2]{};
  cudaStream_t streams[2]{};
};

class Nccl : public InEachMode {};

TEST_P(Nccl, AddsAndExchanges) {
  const TwoDevices two;
  const DeviceArray<float> a({1, 2, 3}), b({10, 20, 30}), from_a(3, 0.0F), from_b(3, 0.0F);
  WARPFIT_CUDA(launch_scale(a.get(), 3, 2, two.streams[0]));
  WARPFIT_NCCL(two.sum(0, a.get(), 3));
  WARPFIT_NCCL(two.sum(1, b.get(), 3));
  WARPFIT_CUDA(launch_scale(b.get(), 3, 2, two.streams[1]));
  WARPFIT_NCCL(ncclGroupStart());
  WARPFIT_NCCL(two.send(0, a.get(), 3));
  WARPFIT_NCCL(two.receive(0, from_b.get(), 3));
  WARPFIT_NCCL(ncclGroupEnd());
  WARPFIT_NCCL(ncclGroupStart());
  WARPFIT_NCCL(two.receive(1, from_a.get(), 3));
  WARPFIT_NCCL(two.send(1, b.get(), 3));
  WARPFIT_NCCL(ncclGroupEnd());
  EXPECT_EQ(two.failure_at_end(), "");
  EXPECT_EQ(a.values(), (std::vector<float>{12, 24, 36}));
  EXPECT_EQ(from_a.values(), a.values());
  EXPECT_EQ(b.values(), (std::vector<float>{24, 48, 72}));
  EXPECT_EQ(from_b.values(), b.values());
  for (const auto communicator : two.communicators) WARPFIT_NCCL(ncclCommDestroy(communicator));
}

TEST_P(Nccl, AddsInGraphs) {
  const TwoDevices two;
  const DeviceArray<float> a(1, 1.0F), b(1, 2.0F);
  const Recording first(two.streams[0], [&] {
    WARPFIT_CUDA(launch_scale(a.get(), 1, 2, two.streams[0]));
    WARPFIT_NCCL(two.sum(0, a.get(), 1));
    WARPFIT_NCCL(two.sum(0, a.get(), 1));
  });
  const Recording second(two.streams[1], [&] {
    WARPFIT_NCCL(two.sum(1, b.get(), 1));
    WARPFIT_CUDA(launch_scale(b.get(), 1, 3, two.streams[1]));
    WARPFIT_NCCL(two.sum(1, b.get(), 1));
  });
  for (int i = 0; i < 2; ++i) {
    WARPFIT_CUDA(first.launch(two.streams[0]));
    WARPFIT_CUDA(second.launch(two.streams[1]));
  }
  EXPECT_EQ(two.failure_at_end(), "");
  EXPECT_EQ(a.value(), 192);  // 2 + 2 = 4 and 12: 16; 32 + 16 = 48 and 144
  EXPECT_EQ(b.value(), 192);
}

// The sum has the values of the moment at which it began, and its result appears late.
TEST_P(Nccl, ShowsAMissingWait) {
  if (config().streams == Config::Streams::kEager) GTEST_SKIP() << "eager streams hide it";
  if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer reports the race";
  const TwoDevices two;
  const TestStream other;
  const DeviceArray<float> a(1, 1.0F), b(1, 2.0F);
  WARPFIT_CUDA(cudaSetDevice(0));
  WARPFIT_CUDA(launch_scale(a.get(), 1, 100, other));
  WARPFIT_NCCL(two.sum(0, a.get(), 1));
  WARPFIT_NCCL(two.sum(1, b.get(), 1));
  EXPECT_EQ(two.failure_at_end(), "");
  EXPECT_EQ(b.value(), 3);
}

TEST_P(Nccl, FailsForUnequalSizes) {
  const TwoDevices two;
  const DeviceArray<float> a(5, 1.0F), b(5, 1.0F);
  const auto failure = failure_of([&] {
    static_cast<void>(two.sum(0, a.get(), 5));
    static_cast<void>(two.sum(1, b.get(), 4));
    static_cast<void>(cudaStreamSynchronize(two.streams[0]));
  });
  EXPECT_THAT(failure, HasSubstr("values as its sum number 0, rank "));
}

TEST_P(Nccl, FailsForUnequalMessages) {
  const TwoDevices two;
  const DeviceArray<float> a(5, 1.0F), b(5, 1.0F);
  const auto failure = failure_of([&] {
    static_cast<void>(two.send(0, a.get(), 5));
    static_cast<void>(two.receive(1, b.get(), 4));
    static_cast<void>(cudaStreamSynchronize(two.streams[0]));
  });
  EXPECT_EQ(failure, "ncclSend: rank 0 sends 5 values to rank 1, which receives 4");
}

TEST_P(Nccl, FailsForOtherMemory) {
  const TwoDevices two;
  float host = 1;
  EXPECT_THAT(failure_of([&] { static_cast<void>(two.sum(0, &host, 1)); }),
              HasSubstr("ncclAllReduce: 1 values from"));
  const DeviceArray<float> a(5, 1.0F);
  EXPECT_THAT(failure_of([&] { static_cast<void>(two.send(0, a.get(), 6)); }),
              HasSubstr("ncclSend: 6 values from byte 0 of 20 bytes of device memory"));
}

TEST_P(Nccl, FailsForADestroyedCommunicator) {
  const TwoDevices two;
  const DeviceArray<float> a(5, 1.0F);
  WARPFIT_NCCL(ncclCommDestroy(two.communicators[0]));
  EXPECT_EQ(failure_of([&] { static_cast<void>(two.sum(0, a.get(), 5)); }),
            "an NCCL communicator is used after it was destroyed");
  EXPECT_EQ(failure_of([&] {
              static_cast<void>(two.sum(1, a.get(), 5));
              static_cast<void>(cudaStreamSynchronize(two.streams[1]));
            }),
            "ncclAllReduce: rank 1 waits for rank 0, which has destroyed its communicator without it");
}

TEST_P(Nccl, FailsForAMessageThatNobodyReceives) {
  const TwoDevices two;
  const DeviceArray<float> a(5, 1.0F);
  WARPFIT_NCCL(two.send(0, a.get(), 5));
  WARPFIT_NCCL(ncclCommDestroy(two.communicators[1]));
  EXPECT_EQ(two.failure_at_end(),
            "ncclSend: rank 0 waits for rank 1, which has destroyed its communicator without it");
}

TEST_P(Nccl, FailsIfItIsDestroyedBeforeItsWorkHasEnded) {
  const TwoDevices two;
  const DeviceArray<float> a(5, 1.0F);
  WARPFIT_NCCL(two.sum(0, a.get(), 5));
  EXPECT_EQ(failure_of([&] { static_cast<void>(ncclCommDestroy(two.communicators[0])); }),
            "ncclCommDestroy: work of the communicator is still queued");
  WARPFIT_NCCL(ncclCommAbort(two.communicators[1]));
  EXPECT_EQ(two.failure_at_end(), "");
  ncclResult_t error = ncclSuccess;
  WARPFIT_NCCL(ncclCommGetAsyncError(two.communicators[0], &error));
  EXPECT_EQ(error, ncclRemoteError);
}

TEST_P(Nccl, FailsForAStreamOfAnotherDevice) {
  const TwoDevices two;
  const DeviceArray<float> a(5, 1.0F);
  const auto failure = failure_of([&] {
    static_cast<void>(
        ncclAllReduce(a.get(), a.get(), 5, ncclFloat32, ncclSum, two.communicators[0], two.streams[1]));
  });
  EXPECT_EQ(failure, "ncclAllReduce: the stream belongs to device 1, the communicator to device 0");
}

TEST_P(Nccl, RefusesInvalidArguments) {
  const TwoDevices two;
  const DeviceArray<float> a(5, 1.0F);
  ncclComm_t communicator = nullptr;
  EXPECT_EQ(ncclCommInitRank(&communicator, 2, ncclUniqueId{}, 0), ncclInvalidArgument);
  EXPECT_THAT(ncclGetLastError(nullptr), HasSubstr("was not made by ncclGetUniqueId"));
  EXPECT_EQ(ncclSend(a.get(), 5, ncclFloat32, 2, two.communicators[0], two.streams[0]), ncclInvalidArgument);
  EXPECT_EQ(ncclAllReduce(a.get(), a.get(), 5, ncclFloat32, ncclMax, two.communicators[0], two.streams[0]),
            ncclInvalidArgument);
  EXPECT_EQ(ncclGroupEnd(), ncclInvalidUsage);
}

INSTANTIATE_TEST_SUITE_P(Each, Nccl, each_mode(), mode_name);

}  // namespace
}  // namespace warpfit::emulation::test
