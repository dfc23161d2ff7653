#include "host/stream/batch_stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <optional>
#include <tuple>

#include "host/base/error.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

constexpr std::int64_t kSamples = 1101;       // odd, and of an odd size: the labels after them are aligned
constexpr std::int64_t kSampleSize = 16'383;  // 18 MB: five chunks, of which each slot but one gets two
constexpr std::int64_t kBatch = 64;

// The first four bytes of a sample encode its index.
Bytes numbered_samples() {
  Bytes elements(kSamples * kSampleSize, 7);
  for (std::int64_t i = 0; i < kSamples; ++i) {
    elements[i * kSampleSize] = static_cast<std::uint8_t>(i);
    elements[i * kSampleSize + 1] = static_cast<std::uint8_t>(i >> 8);
  }
  return idx({kSamples, kSampleSize}, elements);
}

// Differs between chunks at the same index.
std::uint8_t label_of(std::int64_t sample) { return static_cast<std::uint8_t>(sample % 251); }

Bytes numbered_labels() {
  Bytes labels;
  for (std::int64_t i = 0; i < kSamples; ++i) labels.push_back(label_of(i));
  return idx({kSamples}, labels);
}

class BatchStreamTest : public testing::TestWithParam<std::tuple<std::string, Residency>> {
 protected:
  void SetUp() override {
    require_backend(std::get<0>(GetParam()), backend_);
    if (!backend_) return;
    x_ = {*backend_, kBatch * kSampleSize};
    stream_.emplace(*backend_, dataset_,
                    plan_single_set(*backend_, dataset_, kBatch, std::get<1>(GetParam())));
  }

  // Queues a pass whose batches write their labels to `labels`, without waiting for any of them.
  void queue_pass(Labels labels) {
    stream_->start({});
    while (const auto chunk = stream_->next()) {
      const auto& samples = chunk->samples();
      for (std::int64_t first = 0; first < samples.count; first += kBatch) {
        const auto rows = std::min(kBatch, samples.count - first);
        const auto part = labels.first(static_cast<std::size_t>(rows));
        run_once(*backend_,
                 [&] {
                   backend_->load_batch({}, {x_.data(), rows, kSampleSize}, part);
                 },
                 {samples, first, 1, rows});
        labels = labels.subspan(part.size());
      }
    }
  }

  // The samples of a pass, as indices; checks the labels and that only the last chunk has a short batch.
  std::vector<std::uint32_t> visited() {
    std::vector<std::uint32_t> indices;
    while (const auto chunk = stream_->next()) {
      const auto& samples = chunk->samples();
      const auto before = static_cast<std::int64_t>(indices.size());
      EXPECT_TRUE(samples.count % kBatch == 0 || before + samples.count == kSamples);
      Bytes pixels(static_cast<std::size_t>(samples.count * kSampleSize));
      std::vector<Label> labels(static_cast<std::size_t>(samples.count));
      std::vector<std::uint32_t> order(labels.size());
      std::iota(order.begin(), order.end(), 0U);
      backend_->download(samples.pixels, std::as_writable_bytes(std::span(pixels)));
      backend_->download(samples.labels, std::as_writable_bytes(std::span(labels)));
      if (samples.order != nullptr) {
        backend_->download(samples.order, std::as_writable_bytes(std::span(order)));
      }
      std::vector<std::uint32_t> numbers(labels.size());
      std::iota(numbers.begin(), numbers.end(), static_cast<std::uint32_t>(samples.first_number));
      if (samples.numbers != nullptr)
        backend_->download(samples.numbers, std::as_writable_bytes(std::span(numbers)));
      for (const auto sample : order) {
        const auto* pixel = pixels.data() + sample * kSampleSize;
        indices.push_back(static_cast<std::uint32_t>(pixel[0] | pixel[1] << 8));
        EXPECT_EQ(labels[sample], label_of(indices.back()));
        EXPECT_EQ(numbers[sample], indices.back());
        EXPECT_EQ(pixel[kSampleSize - 1], 7);
      }
    }
    return indices;
  }

  TemporaryFolder folder_;
  std::string images_ = folder_.add("images", numbered_samples());
  Dataset dataset_{images_, folder_.add("labels", numbered_labels())};
  std::unique_ptr<Backend> backend_;
  Buffer<float> x_;
  std::optional<BatchStream> stream_;
};

TEST_P(BatchStreamTest, DeliversEverySampleInFileOrderPassAfterPass) {
  std::vector<std::uint32_t> expected(kSamples);
  std::iota(expected.begin(), expected.end(), 0U);
  for (int pass = 0; pass < 3; ++pass) {
    stream_->start({});
    EXPECT_EQ(visited(), expected);
  }
}

// Two passes, so that each slot is filled a second time while queued batches still read it.
TEST_P(BatchStreamTest, OverwritesNothingThatQueuedBatchesRead) {
  const Buffer<Label> labels(*backend_, 2 * kSamples);
  queue_pass(labels.view().first(kSamples));
  queue_pass(labels.view().last(kSamples));
  const auto seen = labels.to_host();
  for (std::int64_t i = 0; i < 2 * kSamples; ++i) EXPECT_EQ(seen[i], label_of(i % kSamples)) << i;
}

TEST_P(BatchStreamTest, DeliversShuffledOrdersAndThenTheFilesAgain) {
  TorchGenerator generator(1);
  for (int pass = 0; pass < 2; ++pass) {
    const auto order = SampleOrder::of_pass(kSamples, true, generator);
    const auto expected = order.indices(0, kSamples);
    stream_->start(order);
    EXPECT_EQ(visited(), std::vector<std::uint32_t>(expected.begin(), expected.end()));
  }
  stream_->start({});
  EXPECT_EQ(visited()[500], 500U);
}

TEST_P(BatchStreamTest, StartsAgainAfterAPassThatWasGivenUp) {
  stream_->start({});
  {
    const auto chunk = stream_->next();
    EXPECT_TRUE(chunk.has_value());
  }
  stream_->start({});
  EXPECT_EQ(visited().size(), static_cast<std::size_t>(kSamples));
}

TEST_P(BatchStreamTest, HandsTheReadersFailureToTheTrainer) {
  std::filesystem::resize_file(images_, 9'000'000);
  stream_->start({});
  try {
    visited();
    FAIL() << "a cut file was read to its end";
  } catch (const IoError& error) {
    EXPECT_NE(std::string(error.what()).find(images_ + ": "), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("byte"), std::string::npos) << error.what();
  }
}

TEST_P(BatchStreamTest, EndsItsReaderWhenDestroyedMidPass) { stream_->start({}); }

// Resident data is not read again; streamed data is.
TEST_P(BatchStreamTest, ReadsTheFileAgainOnlyWhereNothingStays) {
  stream_->start({});
  visited();
  std::filesystem::resize_file(images_, 9'000'000);
  stream_->start({});
  if (stream_->is_resident()) {
    EXPECT_EQ(visited().size(), static_cast<std::size_t>(kSamples));
  } else {
    EXPECT_THROW(visited(), IoError);
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, BatchStreamTest,
                         testing::Combine(testing::ValuesIn(backend_names()),
                                          testing::Values(Residency::kStream, Residency::kResident)),
                         [](const auto& test) {
                           const bool resident = std::get<1>(test.param) == Residency::kResident;
                           return std::get<0>(test.param) + (resident ? "_resident" : "_stream");
                         });

}  // namespace
}  // namespace warpfit::test
