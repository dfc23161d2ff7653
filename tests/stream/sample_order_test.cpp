#include "host/stream/sample_order.hpp"

#include <gtest/gtest.h>

namespace warpfit {
namespace {

std::vector<std::uint32_t> all_of(const SampleOrder& order, std::int64_t size) {
  const auto indices = order.indices(0, size);
  return {indices.begin(), indices.end()};
}

// DataLoader(range(10), shuffle=True) after torch.manual_seed(5), with a pass over a second DataLoader after
// each epoch.
TEST(SampleOrder, FollowsDataLoaderOverThreeEpochs) {
  const std::vector<std::vector<std::uint32_t>> torch{
      {8, 3, 0, 5, 9, 1, 6, 2, 4, 7}, {4, 6, 1, 0, 8, 9, 5, 3, 2, 7}, {6, 2, 5, 0, 9, 7, 3, 4, 1, 8}};
  TorchGenerator generator(5);
  for (const auto& epoch : torch) {
    EXPECT_EQ(all_of(SampleOrder::of_pass(10, true, generator), 10), epoch);
    (void)SampleOrder::of_pass(3, false, generator);
  }
}

TEST(SampleOrder, WithoutShuffleIsTheFilesOrderAndTakesOneDraw) {
  TorchGenerator generator(1);
  TorchGenerator expected(1);
  EXPECT_TRUE(SampleOrder::of_pass(10, false, generator).is_file_order());
  expected.draw64();
  EXPECT_EQ(generator.draw32(), expected.draw32());
}

}  // namespace
}  // namespace warpfit
