// Correct kernels give the right results in every order of threads and blocks, with eager and with lazy
// streams.
#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "tests/emulation/machine.hpp"
#include "tests/emulation/test_kernels.hpp"

namespace warpfit::emulation::test {
namespace {

std::vector<float> counting(std::size_t size) {
  std::vector<float> values(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<float>(i % 17) - 8;
  return values;
}

class Kernels : public InEachMode {
 protected:
  TestStream stream_;
};

TEST_P(Kernels, ElementwiseAtEverySize) {
  for (const int n : {1, 3, 4, 5, 127, 128, 129, 1000, 40000}) {
    const auto x = counting(static_cast<std::size_t>(n));
    const DeviceArray<float> device_x(x);
    const DeviceArray<float> device_y(x);
    WARPFIT_CUDA(launch_scale(device_x.get(), n, 2, stream_));
    WARPFIT_CUDA(launch_add(device_x.get(), device_y.get(), n, stream_));
    const auto y = device_y.values();
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(y[i], 3 * x[i]) << n << " at " << i;
  }
}

TEST_P(Kernels, SumsThroughSharedMemoryAndBarriers) {
  for (const int n : {1, 127, 129, 5000}) {
    const auto x = counting(static_cast<std::size_t>(n));
    const DeviceArray<float> device_x(x);
    const DeviceArray<float> sum(1, 0.0f);
    WARPFIT_CUDA(launch_sum(device_x.get(), sum.get(), n, stream_));
    EXPECT_EQ(sum.value(), std::accumulate(x.begin(), x.end(), 0.0f)) << n;
  }
}

TEST_P(Kernels, SumsOfRowsAndColumns) {
  for (const auto& [rows, columns] : {std::pair{1, 1}, {9, 10}, {64, 33}, {7, 100}}) {
    const auto x = counting(static_cast<std::size_t>(rows * columns));
    const DeviceArray<float> device_x(x);
    const DeviceArray<float> row_sums(static_cast<std::size_t>(rows));
    const DeviceArray<float> column_sums(static_cast<std::size_t>(columns));
    WARPFIT_CUDA(launch_row_sums(device_x.get(), row_sums.get(), rows, columns, stream_));
    WARPFIT_CUDA(launch_column_sums(device_x.get(), column_sums.get(), rows, columns, stream_));
    std::vector<float> expected_rows(static_cast<std::size_t>(rows));
    std::vector<float> expected_columns(static_cast<std::size_t>(columns));
    for (std::size_t i = 0; i < x.size(); ++i) {
      expected_rows[i / expected_columns.size()] += x[i];
      expected_columns[i % expected_columns.size()] += x[i];
    }
    EXPECT_EQ(row_sums.values(), expected_rows);
    EXPECT_EQ(column_sums.values(), expected_columns);
  }
}

TEST_P(Kernels, TheLastBlockFindsTheOthersSums) {
  const auto x = counting(3000);
  const DeviceArray<float> device_x(x);
  const DeviceArray<float> partial(6);
  const DeviceArray<float> out(1);
  const DeviceArray<unsigned> counter(1, 0u);
  WARPFIT_CUDA(
      launch_last_block_sum(device_x.get(), partial.get(), counter.get(), out.get(), 3000, 6, stream_));
  EXPECT_EQ(out.value(), std::accumulate(x.begin(), x.end(), 0.0f));
}

TEST_P(Kernels, BarriersCountAndVote) {
  const DeviceArray<BarrierResults> results(1);
  WARPFIT_CUDA(launch_barrier_votes(results.get(), stream_));
  const BarrierResults r = results.value();
  EXPECT_EQ(r.count, 34);
  EXPECT_EQ(r.all, 0);
  EXPECT_EQ(r.any, 1);
  EXPECT_EQ(r.all_of_all, 1);
  EXPECT_EQ(r.any_of_none, 0);
}

TEST_P(Kernels, AtomicsLoseNothing) {
  AtomicResults before{};
  before.least = 1000;
  before.greatest = -1;
  const DeviceArray<AtomicResults> results(1, before);
  WARPFIT_CUDA(launch_atomics(results.get(), stream_));
  const AtomicResults r = results.value();
  EXPECT_EQ(r.integer, 99 * 100 / 2 - 100);
  EXPECT_EQ(r.least, 0);
  EXPECT_EQ(r.greatest, 99);
  EXPECT_EQ(r.exchanged, 33);
  EXPECT_GE(r.swapped, 1);
  EXPECT_EQ(r.bits, 255);
  EXPECT_EQ(r.wrapped, 0u);  // 100 steps modulo 10
  EXPECT_EQ(r.wide, 100ull << 33);
  EXPECT_EQ(r.real, 50.0f);
}

TEST_P(Kernels, IntrinsicsRoundAsIeeeSays) {
  const DeviceArray<MathResults> results(1);
  WARPFIT_CUDA(launch_math(results.get(), stream_));
  const MathResults r = results.value();
  EXPECT_EQ(r.mixed_min, 2);
  EXPECT_EQ(r.mixed_max, 7u);
  EXPECT_EQ(r.of_nan, 1.5f);
  EXPECT_EQ(r.reciprocal, 0.25f);
  EXPECT_EQ(r.fused, 10.0f);
  EXPECT_EQ(r.exponential, 2.0f);
  EXPECT_EQ(r.bits, 2.0f);
  EXPECT_EQ(r.bf16, 1.0f);
  EXPECT_EQ(r.constant, 1.0f);
  EXPECT_EQ(r.ones, 8);
  EXPECT_EQ(r.zeros, 31);
  EXPECT_EQ(r.first, 4);
}

TEST_P(Kernels, StructuresOfPointersAreArguments) {
  const DeviceArray<float> from(counting(300));
  const DeviceArray<float> to(300);
  WARPFIT_CUDA(launch_copy({from.get(), 300, to.get()}, stream_));
  EXPECT_EQ(to.values(), counting(300));
}

TEST_P(Kernels, BlocksOfACooperativeLaunchMeet) {
  for (const Wait wait : {Wait::kAtomicSleep, Wait::kAtomic, Wait::kVolatileSleep}) {
    const DeviceArray<float> x(8);
    const DeviceArray<float> out(8);
    const DeviceArray<unsigned> counter(1, 0u);
    WARPFIT_CUDA(launch_grid_barrier(x.get(), out.get(), counter.get(), 8, wait, true, stream_));
    EXPECT_EQ(out.values(), std::vector<float>(8, 8.0f));
  }
}

TEST_P(Kernels, SharedMemoryUpTo227KilobytesOnRequest) {
  const DeviceArray<float> out(1);
  WARPFIT_CUDA(launch_big_shared(out.get(), 12288, false, stream_));
  EXPECT_EQ(launch_big_shared(out.get(), 12289, false, stream_), cudaErrorInvalidValue);
  WARPFIT_CUDA(launch_big_shared(out.get(), 227 * 256, true, stream_));
  EXPECT_EQ(launch_big_shared(out.get(), 227 * 256 + 1, true, stream_), cudaErrorInvalidValue);
  EXPECT_EQ(out.value(), 7.0f);
}

TEST_P(Kernels, CopiesToSharedMemoryAreThereWhenWaitedFor) {
  std::vector<float> values(64);
  std::iota(values.begin(), values.end(), 1.0f);
  const DeviceArray<float> from(values), out(64, 0.0f);
  WARPFIT_CUDA(launch_async_copy(from.get(), out.get(), CopyWait::kCommitted, stream_));
  EXPECT_EQ(out.values(), values);
  for (const CopyWait wait : {CopyWait::kNotCommitted, CopyWait::kTooLate}) {
    WARPFIT_CUDA(launch_async_copy(from.get(), out.get(), wait, stream_));
    EXPECT_TRUE(std::isnan(out.values()[5]));
  }
}

TEST_P(Kernels, AGroupOfCopiesIsWaitedForByItself) {
  const DeviceArray<float> from(128, 3.0f);
  const DeviceArray<float> out(128, 0.0f);
  WARPFIT_CUDA(launch_grouped_copies(from.get(), out.get(), CopyWait::kCommitted, stream_));
  const auto values = out.values();
  EXPECT_EQ(values[5], 3.0f);
  EXPECT_TRUE(std::isnan(values[64 + 5])) << "the second group";
  WARPFIT_CUDA(launch_grouped_copies(from.get(), out.get(), CopyWait::kTooLate, stream_));
  EXPECT_TRUE(std::isnan(out.values()[5]));
}

INSTANTIATE_TEST_SUITE_P(Each, Kernels, each_mode(), mode_name);

class Order : public OnMachine {
 protected:
  static std::vector<int> of_blocks(Config::Order order, unsigned seed) {
    Config config = in_mode(order, Config::Streams::kEager);
    config.seed = seed;
    configure(config);
    const DeviceArray<int> ranks(6);
    const DeviceArray<unsigned> counter(1, 0u);
    EXPECT_EQ(launch_block_order(ranks.get(), counter.get(), 6, nullptr), cudaSuccess);
    return ranks.values();
  }
};

TEST_F(Order, IsForwardReverseOrRandomFromASeed) {
  EXPECT_EQ(of_blocks(Config::Order::kForward, 1), (std::vector<int>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(of_blocks(Config::Order::kReverse, 1), (std::vector<int>{5, 4, 3, 2, 1, 0}));
  const auto one = of_blocks(Config::Order::kRandom, 1);
  EXPECT_EQ(of_blocks(Config::Order::kRandom, 1), one);
  EXPECT_NE(of_blocks(Config::Order::kRandom, 2), one);
}

}  // namespace
}  // namespace warpfit::emulation::test
