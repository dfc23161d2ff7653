// Augmentation and normalization of samples compared with plain loops: pad, mirror, crop, erase.
#include <gtest/gtest.h>

#include <algorithm>

#include "host/backend/pixel_transform_formula.hpp"
#include "host/run/input.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random.hpp"

namespace warpfit::test {
namespace {

constexpr std::uint64_t kSeed = 11;
constexpr std::int64_t kEpoch = 3;

class TransformedBatch : public OnEachBackend {
 protected:
  // The image padded on each side, in which the crop begins elsewhere.
  static double pixel(const PixelTransform& transform, const Placement& placement,
                      std::span<const std::uint8_t> sample, std::int64_t channel, std::int64_t row,
                      std::int64_t column) {
    const auto& [channels, height, width] = transform.image;
    for (const auto& hole : placement.erased) {
      if (row >= hole.top && row < hole.bottom && column >= hole.left && column < hole.right) return 0;
    }
    std::int64_t y = row - placement.down;
    std::int64_t x = column - placement.right;
    bool is_padding = y < 0 || y >= height || x < 0 || x >= width;
    if (placement.padding == ShiftPadding::kReflect) {
      if (y < 0) y = -y;
      if (x < 0) x = -x;
      if (y >= height) y = height - 1 - (y - (height - 1));
      if (x >= width) x = width - 1 - (x - (width - 1));
      is_padding = false;
    }
    std::uint8_t byte = 0;
    if (!is_padding) {
      std::vector<std::uint8_t> line(sample.begin() + (channel * height + y) * width,
                                     sample.begin() + (channel * height + y + 1) * width);
      if (placement.flips) std::ranges::reverse(line);
      byte = line[static_cast<std::size_t>(x)];
    }
    const float value = static_cast<float>(byte) / 255.0F;
    const auto& normalization = transform.normalization;
    if (normalization.channels == 0) return value;
    const auto at = static_cast<std::size_t>(channel);
    const float centered = value - normalization.means[at];
    return centered / normalization.deviations[at];
  }

  // `numbers`: those of the samples in the data set.
  static std::vector<double> expected(const PixelTransform& transform, std::span<const std::uint8_t> pixels,
                                      std::span<const std::uint32_t> numbers) {
    std::vector<double> values;
    const auto& [channels, height, width] = transform.image;
    for (std::size_t n = 0; n < numbers.size(); ++n) {
      const auto placement = placement_of(transform, kEpoch, numbers[n]);
      const auto size = static_cast<std::size_t>(transform.image.size());
      for (std::int64_t channel = 0; channel < channels; ++channel) {
        for (std::int64_t row = 0; row < height; ++row) {
          for (std::int64_t column = 0; column < width; ++column)
            values.push_back(
                pixel(transform, placement, pixels.subspan(n * size, size), channel, row, column));
        }
      }
    }
    return values;
  }

  static PixelTransform transform_of(const Shape& shape, const Augmentation& augmentation, bool normalizes) {
    PixelTransform transform{.image = image_of(shape), .augmentation = fitted(augmentation, shape)};
    transform.augmentation.seed = kSeed;
    if (!normalizes) return transform;
    transform.normalization.channels = shape.channels;
    for (std::size_t i = 0; i < static_cast<std::size_t>(shape.channels); ++i) {
      transform.normalization.means[i] = 0.25F + 0.1F * static_cast<float>(i);
      transform.normalization.deviations[i] = 0.3F + 0.1F * static_cast<float>(i);
    }
    return transform;
  }

  // Loads all samples as one batch.
  void check(const PixelTransform& transform, std::int64_t rows) {
    SCOPED_TRACE(testing::Message() << transform.image.channels << "x" << transform.image.height << "x"
                                    << transform.image.width << ", " << rows << " rows");
    TestValues values;
    const auto size = transform.image.size();
    const auto bytes = values.bytes(rows * size);
    const Buffer<std::uint8_t> pixels(*backend_, bytes);
    const Buffer<Label> labels(*backend_, values.labels(rows, 10));
    const Buffer<Label> batch_labels(*backend_, static_cast<std::size_t>(rows));
    const GuardedFloats x(*backend_, rows * size);
    SampleView samples{pixels.data(), labels.data(), rows, size};
    samples.first_number = 70;
    std::vector<std::uint32_t> numbers;
    for (std::int64_t i = 0; i < rows; ++i) numbers.push_back(static_cast<std::uint32_t>(70 + i));
    BatchRun run = one_batch(rows);
    run.samples = samples;
    run.epoch = kEpoch;
    run_once(
        *backend_, [&] { backend_->load_batch(transform, x.matrix(rows, size), batch_labels.view()); }, run);
    EXPECT_TRUE(all_equal(x.values(), expected(transform, bytes, numbers)));
    EXPECT_EQ(batch_labels.to_host(), labels.to_host());
  }
};

TEST_P(TransformedBatch, NormalizesEachChannel) {
  for (const Shape shape : {Shape{1, 28, 28}, Shape{3, 5, 7}, Shape{3, 1, 5}, Shape{16, 2, 2}}) {
    for (const std::int64_t rows : {1, 7}) check(transform_of(shape, {}, true), rows);
  }
}

TEST_P(TransformedBatch, NormalizesVectorsAsOneChannel) {
  PixelTransform transform{.image = image_of(Shape{33, 1, 1})};
  transform.normalization = {1, {0.5F}, {0.25F}};
  check(transform, 5);
}

TEST_P(TransformedBatch, ShiftsFlipsAndErases) {
  for (const Shape shape : {Shape{1, 28, 28}, Shape{3, 9, 5}, Shape{1, 6, 40}}) {
    for (const auto padding : {ShiftPadding::kZeros, ShiftPadding::kReflect}) {
      for (const std::int64_t shift : {1, 4}) {
        Augmentation augmentation{.flip = FlipMode::kRandom, .padding = padding, .shift = shift};
        check(transform_of(shape, augmentation, false), 33);
        check(transform_of(shape, augmentation, true), 33);
        augmentation.cutout = 3;
        augmentation.erase_probability = 0.5;
        check(transform_of(shape, augmentation, true), 33);
      }
    }
  }
}

TEST_P(TransformedBatch, CutsOutSquaresAtTheEdge) {
  for (const std::int64_t cutout : {1, 2, 5}) {
    Augmentation augmentation;
    augmentation.cutout = cutout;
    check(transform_of({2, 6, 7}, augmentation, true), 64);
  }
}

TEST_P(TransformedBatch, TakesMoreRowsThanAGridHas) {
  check(transform_of({1, 2, 2}, {.flip = FlipMode::kRandom}, false), 65'535 + 3);
}

// The random changes of a sample depend only on its index in the data set: they are the same wherever the
// sample is stored in memory, and whatever the order of the samples.
TEST_P(TransformedBatch, DependsOnTheNumberOfTheSample) {
  const Shape shape{1, 8, 8};
  const auto transform = transform_of(shape, {.flip = FlipMode::kRandom, .shift = 3}, false);
  TestValues values;
  const auto bytes = values.bytes(3 * 64);
  const std::vector<std::uint32_t> numbers{200, 7, 100'000};
  const Buffer<std::uint8_t> pixels(*backend_, bytes);
  const Buffer<Label> labels(*backend_, std::vector<Label>{0, 1, 2});
  const Buffer<std::uint32_t> order(*backend_, std::vector<std::uint32_t>{2, 0, 1});
  const Buffer<std::uint32_t> stored(*backend_, numbers);
  const Buffer<Label> batch_labels(*backend_, 1);
  const GuardedFloats x(*backend_, 64);
  SampleView samples{pixels.data(), labels.data(), 3, 64, order.data(), stored.data()};
  const auto all = expected(transform, bytes, numbers);
  for (std::int64_t visit = 0; visit < 3; ++visit) {
    BatchRun run{samples, visit, 1, 1};
    run.epoch = kEpoch;
    run_once(
        *backend_, [&] { backend_->load_batch(transform, x.matrix(1, 64), batch_labels.view()); }, run);
    const auto sample = (visit + 2) % 3;
    EXPECT_TRUE(all_equal(x.values(), {all.begin() + 64 * sample, all.begin() + 64 * (sample + 1)}));
    EXPECT_EQ(batch_labels.to_host().front(), sample);
  }
}

TEST_P(TransformedBatch, LoadsABatchAgainInAnotherView) {
  const Shape shape{1, 2, 2};
  const Buffer<std::uint8_t> pixels(*backend_, std::vector<std::uint8_t>{255, 0, 0, 0, 0, 255, 255, 255});
  const Buffer<Label> labels(*backend_, std::vector<Label>{4, 5});
  const Buffer<Label> batch_labels(*backend_, 1);
  const GuardedFloats x(*backend_, 4), again(*backend_, 4), plain(*backend_, 4);
  PixelTransform mirrored{.image = image_of(shape)};
  mirrored.view.flips = true;
  const auto step = backend_->record([&] {
    backend_->load_batch(PixelTransform{}, x.matrix(1, 4), batch_labels.view());
    backend_->load_again(mirrored, again.matrix(1, 4));
    backend_->load_again(PixelTransform{}, plain.matrix(1, 4));
  });
  const std::vector<std::vector<float>> views{{1, 0, 0, 0}, {0, 1, 1, 1}},
      flipped{{0, 1, 0, 0}, {1, 0, 1, 1}};
  for (std::int64_t batches : {1, 2}) {
    step->run({{pixels.data(), labels.data(), 2, 4}, 0, batches, 1});
    const auto at = static_cast<std::size_t>(batches - 1);
    EXPECT_EQ(x.values(), views[at]);
    EXPECT_EQ(again.values(), flipped[at]);
    EXPECT_EQ(plain.values(), views[at]);
    EXPECT_EQ(batch_labels.to_host().front(), 4 + at);
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, TransformedBatch, testing::ValuesIn(backend_names()), backend_name);

// Frequencies of 40,000 samples: five standard deviations from what is expected.
class AugmentationFrequencies : public testing::Test {
 protected:
  template <class Holds>
  static double frequency(const Augmentation& augmentation, const Image& image, const Holds& holds,
                          std::int64_t epoch = 1) {
    int count = 0;
    for (std::uint32_t sample = 0; sample < kSamples; ++sample)
      count += holds(placement_of(augmentation, image, epoch, sample)) ? 1 : 0;
    return static_cast<double>(count) / kSamples;
  }
  static constexpr std::uint32_t kSamples = 40'000;
  Shape shape_{1, 28, 20};
  Image image_ = image_of(shape_);
};

TEST_F(AugmentationFrequencies, ShiftsAreEquallyLikely) {
  const Augmentation augmentation{.seed = 1, .shift = 2};
  for (const std::int64_t shift : {-2, -1, 0, 1, 2}) {
    EXPECT_NEAR(frequency(augmentation, image_, [&](const auto& p) { return p.down == shift; }), 0.2, 0.01);
    EXPECT_NEAR(frequency(augmentation, image_, [&](const auto& p) { return p.right == shift; }), 0.2, 0.01);
    EXPECT_NEAR(
        frequency(augmentation, image_, [&](const auto& p) { return p.right == shift && p.down == 1; }), 0.04,
        0.005);
  }
}

TEST_F(AugmentationFrequencies, HalfOfTheImagesAreFlipped) {
  const Augmentation augmentation{.seed = 1, .flip = FlipMode::kRandom, .shift = 1};
  EXPECT_NEAR(frequency(augmentation, image_, [](const auto& p) { return p.flips; }), 0.5, 0.0125);
  EXPECT_NEAR(frequency(augmentation, image_, [](const auto& p) { return p.flips && p.down == 1; }), 1 / 6.0,
              0.01);
}

TEST_F(AugmentationFrequencies, AlternatingFlipsAreTheOppositeInTheNextEpoch) {
  const Augmentation augmentation{.seed = 1, .flip = FlipMode::kAlternate};
  EXPECT_NEAR(frequency(augmentation, image_, [](const auto& p) { return p.flips; }), 0.5, 0.0125);
  for (std::uint32_t sample = 0; sample < 100; ++sample) {
    const auto flips = [&](std::int64_t epoch) {
      return placement_of(augmentation, image_, epoch, sample).flips;
    };
    EXPECT_NE(flips(1), flips(2));
    EXPECT_EQ(flips(1), flips(3));
  }
}

TEST_F(AugmentationFrequencies, ErasesRectanglesWithinTheImageAsOftenAsAsked) {
  auto augmentation = fitted({.seed = 5, .erase_probability = 0.3}, shape_);
  const auto area = [](const Placement& p) {
    return (p.erased[1].bottom - p.erased[1].top) * (p.erased[1].right - p.erased[1].left);
  };
  EXPECT_NEAR(frequency(augmentation, image_, [&](const auto& p) { return area(p) > 0; }), 0.3, 0.0115);
  bool reaches_top = false, reaches_bottom = false, reaches_left = false, reaches_right = false;
  for (std::uint32_t sample = 0; sample < kSamples; ++sample) {
    const auto placement = placement_of(augmentation, image_, 1, sample);
    const auto& hole = placement.erased[1];
    if (area(placement) == 0) continue;
    ASSERT_GE(hole.top, 0);
    ASSERT_GE(hole.left, 0);
    ASSERT_LE(hole.bottom, 28);
    ASSERT_LE(hole.right, 20);
    EXPECT_NEAR(static_cast<double>(area(placement)) / (28 * 20), 0.175, 0.175);
    reaches_top = reaches_top || hole.top == 0;
    reaches_bottom = reaches_bottom || hole.bottom == 28;
    reaches_left = reaches_left || hole.left == 0;
    reaches_right = reaches_right || hole.right == 20;
  }
  EXPECT_TRUE(reaches_top && reaches_bottom && reaches_left && reaches_right);
}

TEST_F(AugmentationFrequencies, CentersOfSquaresAreAnywhereInTheImage) {
  const Augmentation augmentation{.seed = 1, .cutout = 4};
  EXPECT_NEAR(frequency(augmentation, image_, [](const auto& p) { return p.erased[0].top == -2; }), 1 / 28.0,
              0.005);
  EXPECT_NEAR(frequency(augmentation, image_, [](const auto& p) { return p.erased[0].right == 21; }),
              1 / 20.0, 0.006);
}

TEST_F(AugmentationFrequencies, DifferBySeedEpochAndSample) {
  Augmentation augmentation{.seed = 1, .shift = 12};
  const auto draw = [&](std::int64_t epoch, std::uint32_t sample) {
    const auto placement = placement_of(augmentation, image_, epoch, sample);
    return std::pair(placement.down, placement.right);
  };
  const auto first = std::vector{draw(1, 0), draw(1, 1), draw(1, 2), draw(1, 3)};
  EXPECT_NE(first, (std::vector{draw(2, 0), draw(2, 1), draw(2, 2), draw(2, 3)}));
  EXPECT_NE(first, (std::vector{draw(1, 4), draw(1, 5), draw(1, 6), draw(1, 7)}));
  EXPECT_EQ(first, (std::vector{draw(1, 0), draw(1, 1), draw(1, 2), draw(1, 3)}));
  augmentation.seed = 2;
  EXPECT_NE(first, (std::vector{draw(1, 0), draw(1, 1), draw(1, 2), draw(1, 3)}));
}

}  // namespace
}  // namespace warpfit::test
