// The expected constants are PyTorch's: the results of torch.manual_seed(s) and the call named in each
// comment.
#include "host/base/torch_random.hpp"

#include <gtest/gtest.h>

#include <array>

namespace warpfit {
namespace {

TEST(TorchGenerator, DrawsUniformAsTorchRand) {
  TorchGenerator generator(0);
  std::array<float, 4> values{};
  generator.fill_uniform(values, 0.0F, 1.0F);
  EXPECT_EQ(values, (std::array{0.49625659F, 0.768221796F, 0.0884774327F, 0.132030487F}));
}

TEST(TorchGenerator, KeepsTheLow32BitsOfTheSeed) {
  TorchGenerator small(7);
  TorchGenerator large(7 + (std::uint64_t{5} << 32));
  EXPECT_EQ(small.draw32(), large.draw32());
}

TEST(TorchGenerator, Draws64BitsAsRandom) {
  TorchGenerator generator(3);
  EXPECT_EQ(generator.draw64(), 937055941807507096);
}

TEST(RandomPermutation, IsTorchRandperm) {
  TorchGenerator generator(42);
  EXPECT_EQ(random_permutation(12, generator),
            (std::vector<std::uint32_t>{6, 8, 1, 7, 0, 2, 10, 11, 4, 3, 5, 9}));
}

TEST(RandomPermutation, TakesEmptyAndSingle) {
  TorchGenerator generator(0);
  EXPECT_TRUE(random_permutation(0, generator).empty());
  EXPECT_EQ(random_permutation(1, generator), std::vector<std::uint32_t>{0});
}

}  // namespace
}  // namespace warpfit
