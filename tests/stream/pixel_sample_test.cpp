#include "host/stream/pixel_sample.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

PixelStatistics statistics_of(const Bytes& pixels) {
  PixelSums sums;
  sums.add(pixels);
  return sums.statistics();
}

TEST(PixelStatistics, AreMeanAndStandardDeviationOfAllPixels) {
  const auto [mean, deviation] = statistics_of({0, 51, 102, 255});
  EXPECT_NEAR(mean, 0.4, 1e-15);
  EXPECT_NEAR(deviation, std::sqrt((0.16 + 0.04 + 0 + 0.36) / 4), 1e-15);
  EXPECT_EQ(statistics_of({7, 7, 7}).deviation, 0);
  // More squares than 32 bits hold, and more pixels than a block.
  Bytes halves(300'000);
  std::fill_n(halves.begin(), halves.size() / 2, 255);
  EXPECT_EQ(statistics_of(halves), (PixelStatistics{.mean = 0.5, .deviation = 0.5}));
}

TEST(PixelStatistics, AreOfAllSamplesOfASmallSet) {
  const TemporaryFolder folder;
  Bytes pixels(1000);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * i % 251);
  EXPECT_EQ(sampled_pixel_statistics(Dataset(folder.add("images", idx({500, 2}, pixels)))),
            statistics_of(pixels));
}

// Of 64 samples of half a megabyte every fourth one is read.
TEST(PixelStatistics, AreOfSamplesSpreadEvenlyOverALargeSet) {
  constexpr std::uint32_t kSize = 1 << 19, kSamples = 64;
  const TemporaryFolder folder;
  Bytes pixels;
  for (std::uint32_t i = 0; i < kSamples; ++i) {
    const auto value = static_cast<std::uint8_t>(i % 4 == 0 ? i : 255);
    pixels.insert(pixels.end(), kSize, value);
  }
  const auto found = sampled_pixel_statistics(Dataset(folder.add("images", idx({kSamples, kSize}, pixels))));
  EXPECT_NEAR(found.mean, 30.0 / 255, 1e-12);  // of 0, 4, ..., 60
}

}  // namespace
}  // namespace warpfit::test
