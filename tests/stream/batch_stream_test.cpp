#include "host/stream/batch_stream.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>

#include "host/base/error.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

constexpr std::int64_t kSamples = 1000;
constexpr std::int64_t kSampleSize = 16'384;  // 16 MB: several slots' worth, so that the ring goes round
constexpr std::int64_t kBatch = 64;

// The first four bytes of a sample spell its index.
Bytes numbered_samples() {
  Bytes elements(kSamples * kSampleSize, 7);
  for (std::int64_t i = 0; i < kSamples; ++i) {
    elements[i * kSampleSize] = static_cast<std::uint8_t>(i);
    elements[i * kSampleSize + 1] = static_cast<std::uint8_t>(i >> 8);
  }
  return idx({kSamples, kSampleSize}, elements);
}

Bytes numbered_labels() {
  Bytes labels(kSamples);
  std::iota(labels.begin(), labels.end(), std::uint8_t{0});
  return idx({kSamples}, labels);
}

class BatchStreamTest : public testing::Test {
 protected:
  // What a pass delivers, as indices; checks labels and that only the last chunk has a short batch.
  std::vector<std::uint32_t> visited() {
    std::vector<std::uint32_t> indices;
    while (const auto chunk = stream_.next()) {
      const auto& samples = chunk->samples();
      EXPECT_TRUE(samples.count % kBatch == 0 ||
                  static_cast<std::int64_t>(indices.size()) + samples.count == kSamples);
      for (std::int64_t i = 0; i < samples.count; ++i) {
        const auto* pixels = samples.pixels + i * samples.sample_size;
        indices.push_back(pixels[0] | pixels[1] << 8);
        EXPECT_EQ(samples.labels[i], pixels[0]);
        EXPECT_EQ(pixels[samples.sample_size - 1], 7);
      }
    }
    return indices;
  }

  TemporaryFolder folder_;
  std::string images_ = folder_.add("images", numbered_samples());
  Dataset dataset_{images_, folder_.add("labels", numbered_labels())};
  std::unique_ptr<Backend> backend_ = make_test_backend("cpu");
  BatchStream stream_{*backend_, dataset_, kBatch};
};

TEST_F(BatchStreamTest, DeliversEverySampleInFileOrderPassAfterPass) {
  std::vector<std::uint32_t> expected(kSamples);
  std::iota(expected.begin(), expected.end(), 0U);
  for (int pass = 0; pass < 3; ++pass) {
    stream_.start({});
    EXPECT_EQ(visited(), expected);
  }
}

TEST_F(BatchStreamTest, DeliversAShuffledOrder) {
  TorchGenerator generator(1);
  const auto order = SampleOrder::of_pass(kSamples, true, generator);
  const auto expected = order.indices(0, kSamples);
  stream_.start(order);
  EXPECT_EQ(visited(), std::vector<std::uint32_t>(expected.begin(), expected.end()));
}

TEST_F(BatchStreamTest, StartsAnewAfterAPassThatWasGivenUp) {
  stream_.start({});
  {
    const auto chunk = stream_.next();
    EXPECT_TRUE(chunk.has_value());
  }
  stream_.start({});
  EXPECT_EQ(visited().size(), static_cast<std::size_t>(kSamples));
}

TEST_F(BatchStreamTest, HandsTheReadersFailureToTheTrainer) {
  std::filesystem::resize_file(images_, 9'000'000);
  stream_.start({});
  try {
    visited();
    FAIL() << "a cut file was read to its end";
  } catch (const IoError& error) {
    EXPECT_NE(std::string(error.what()).find(images_ + ": "), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("byte"), std::string::npos) << error.what();
  }
}

TEST_F(BatchStreamTest, EndsItsReaderWhenDestroyedMidPass) { stream_.start({}); }

}  // namespace
}  // namespace warpfit::test
