#include <gtest/gtest.h>

#include <algorithm>
#include <span>

#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random.hpp"

namespace warpfit::test {
namespace {

class LoadBatch : public OnEachBackend {
 protected:
  // Checks the batch of `rows` samples starting at `first`, out of `count` random samples. Pixels and floats
  // begin as many elements after an aligned address as their skew says.
  void check(std::int64_t count, std::int64_t sample_size, std::int64_t first, std::int64_t rows,
             std::int64_t pixel_skew = 0, std::size_t skew = 0) {
    SCOPED_TRACE(testing::Message() << count << " samples of " << sample_size << ", rows " << first << " + "
                                    << rows << ", skewed by " << pixel_skew << " and " << skew);
    TestValues values;
    const auto memory = values.bytes(pixel_skew + count * sample_size);
    const auto pixels = std::span(memory).subspan(static_cast<std::size_t>(pixel_skew));
    const auto labels = values.labels(count, 10);
    const Buffer<std::uint8_t> device_pixels(*backend_, memory);
    const Buffer<Label> device_labels(*backend_, labels);
    const GuardedFloats x(*backend_, rows * sample_size, skew);
    const Buffer<Label> batch_labels(*backend_, static_cast<std::size_t>(rows));
    run_once(
        *backend_,
        [&] { backend_->load_batch(PixelTransform{}, x.matrix(rows, sample_size), batch_labels.view()); },
        {{device_pixels.data() + pixel_skew, device_labels.data(), count, sample_size}, first, 1, rows});

    std::vector<double> expected;
    for (std::int64_t i = first * sample_size; i < (first + rows) * sample_size; ++i) {
      expected.push_back(static_cast<float>(pixels[i]) / 255.0F);
    }
    EXPECT_TRUE(all_equal(x.values(), expected));
    const auto got = batch_labels.to_host();
    EXPECT_TRUE(std::equal(got.begin(), got.end(), labels.begin() + first));
  }
};

TEST_P(LoadBatch, ConvertsExactlyAtEveryShape) {
  for (const std::int64_t sample_size : {1, 7, 31, 32, 33, 127, 128, 129, 784, 1000}) {
    for (const std::int64_t rows : {1, 7, 64}) check(rows, sample_size, 0, rows);
  }
}

TEST_P(LoadBatch, BeginsWhereTheRunSays) {
  check(100, 784, 36, 64);
  check(10, 3, 7, 3);
}

TEST_P(LoadBatch, TakesAnyAlignment) {
  for (const std::int64_t pixel_skew : {0, 1, 2, 3}) {
    for (const std::size_t skew : {0, 1, 2, 3}) check(3, 12, 1, 2, pixel_skew, skew);
  }
}

TEST_P(LoadBatch, TakesSamplesLargerThanAGridCovers) { check(2, 4 * 256 * 1024 + 8, 1, 1); }

TEST_P(LoadBatch, TakesMoreRowsThanAGridHas) { check(2 * 65'535 + 4, 1, 1, 2 * 65'535 + 3); }

TEST_P(LoadBatch, VisitsSamplesInAnyOrder) {
  for (const std::int64_t size : {3, 4, 784}) {
    TestValues values;
    const auto pixels = values.bytes(5 * size);
    const Buffer<std::uint8_t> device_pixels(*backend_, pixels);
    const Buffer<Label> device_labels(*backend_, std::vector<Label>{10, 11, 12, 13, 14});
    const Buffer<std::uint32_t> order(*backend_, std::vector<std::uint32_t>{4, 0, 2, 2, 1});
    const GuardedFloats x(*backend_, 2 * size);
    const Buffer<Label> labels(*backend_, 2);
    const BatchRun run{{device_pixels.data(), device_labels.data(), 5, size, order.data()}, 1, 1, 2};
    run_once(
        *backend_, [&] { backend_->load_batch(PixelTransform{}, x.matrix(2, size), labels.view()); }, run);
    std::vector<double> expected;
    for (const std::int64_t sample : {0, 2}) {
      for (std::int64_t i = 0; i < size; ++i)
        expected.push_back(static_cast<float>(pixels[sample * size + i]) / 255.0F);
    }
    EXPECT_TRUE(all_equal(x.values(), expected));
    EXPECT_EQ(labels.to_host(), (std::vector<Label>{10, 12}));
  }
}

TEST_P(LoadBatch, RoundsAllPixelValuesAsADivision) {
  std::vector<std::uint8_t> all(256);
  for (int i = 0; i < 256; ++i) all[i] = static_cast<std::uint8_t>(i);
  const Buffer<std::uint8_t> pixels(*backend_, all);
  const GuardedFloats x(*backend_, 256);
  const Buffer<Label> labels(*backend_, 1), answers(*backend_, std::vector<Label>{3});
  run_once(*backend_, [&] { backend_->load_batch(PixelTransform{}, x.matrix(1, 256), labels.view()); },
           {{pixels.data(), answers.data(), 1, 256}, 0, 1, 1});
  const auto got = x.values();
  for (int i = 0; i < 256; ++i) EXPECT_EQ(got[i], static_cast<float>(i) / 255.0F) << i;
}

TEST_P(LoadBatch, MovesOnBatchByBatch) {
  const std::vector<std::uint8_t> data{0, 255, 0, 255, 255, 255};
  const Buffer<std::uint8_t> memory(*backend_, data);
  const Buffer<Label> answers(*backend_, std::vector<Label>(data.size()));
  const Buffer<Label> labels(*backend_, 2);
  const GuardedFloats x(*backend_, 2);
  std::vector<std::vector<float>> seen;
  const auto step =
      backend_->record([&] { backend_->load_batch(PixelTransform{}, x.matrix(2, 1), labels.view()); });
  for (std::int64_t batches : {1, 2, 3}) {
    step->run({{memory.data(), answers.data(), 6, 1}, 0, batches, 2});
    seen.push_back(x.values());
  }
  EXPECT_EQ(seen, (std::vector<std::vector<float>>{{0, 1}, {0, 1}, {1, 1}}));
}

INSTANTIATE_TEST_SUITE_P(Backends, LoadBatch, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
