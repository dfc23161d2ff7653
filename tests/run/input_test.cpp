#include "host/run/input.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "host/base/error.hpp"
#include "host/train/training_data.hpp"
#include "tests/support/files.hpp"
#include "tests/support/random.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

std::string usage_error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

class InputOptions : public testing::Test {
 protected:
  static constexpr std::int64_t kSamples = 41, kHeight = 90, kWidth = 101;  // more than one piece

  TestValues values_;
  Bytes pixels_ = values_.bytes(kSamples * 3 * kHeight * kWidth);
  TemporaryFolder folder_;
  Dataset samples_{folder_.add("images", idx({kSamples, 3, kHeight, kWidth}, pixels_)),
                   folder_.add("labels", idx({kSamples}, Bytes(kSamples)))};
  Shape shape_{3, kHeight, kWidth};
};

TEST_F(InputOptions, NormalizationIsMeasuredForEachChannel) {
  const Subset training(samples_, 1, 39);  // without the samples that are held out
  const auto found = normalization_of({.from_data = true}, shape_, training);
  EXPECT_EQ(found.channels, 3);
  for (std::size_t channel = 0; channel < 3; ++channel) {
    double sum = 0, squares = 0;
    const std::size_t size = kHeight * kWidth;
    for (std::size_t n = 1; n < 40; ++n) {
      for (std::size_t i = 0; i < size; ++i) {
        const double value = pixels_[(n * 3 + channel) * size + i] / 255.0;
        sum += value;
        squares += value * value;
      }
    }
    const double mean = sum / (39.0 * size);
    EXPECT_NEAR(found.means[channel], mean, 1e-6);
    EXPECT_NEAR(found.deviations[channel], std::sqrt(squares / (39.0 * size) - mean * mean), 1e-6);
  }
}

TEST_F(InputOptions, GivenNormalizationIsThatOfAllChannelsOrOfEach) {
  const auto one = normalization_of({0.5F, 0.25F}, shape_);
  EXPECT_EQ(one, (Normalization{3, {0.5F, 0.5F, 0.5F}, {0.25F, 0.25F, 0.25F}}));
  const auto each = normalization_of({1, 2, 3, 4, 5, 6}, shape_);
  EXPECT_EQ(each, (Normalization{3, {1, 2, 3}, {4, 5, 6}}));
  EXPECT_EQ(normalization_of({}, shape_).channels, 0);
  EXPECT_EQ(normalization_of({0.5F, 0.25F}, Shape{784, 1, 1}).channels, 1);
}

TEST_F(InputOptions, WrongNormalizationIsRefused) {
  EXPECT_THAT(usage_error_of([&] {
                normalization_of({1, 2, 3, 4}, shape_);
              }),
              HasSubstr("4 numbers, expected 2 or, for 3 channels, 6"));
  EXPECT_THAT(usage_error_of([&] { normalization_of({1, 2}, Shape{17, 2, 2}); }), HasSubstr("at most 16"));
  const Dataset constant(folder_.add("black", idx({2, 2, 2}, Bytes(8, 7))),
                         folder_.add("two", idx({2}, Bytes(2))));
  EXPECT_THAT(usage_error_of([&] {
                normalization_of({.from_data = true}, Shape{1, 2, 2}, constant);
              }),
              HasSubstr("all pixels of channel 0"));
}

TEST_F(InputOptions, RectanglesToEraseAreThoseOfTorchvision) {
  const auto augmentation = fitted({.erase_probability = 0.5}, {1, 28, 28});
  EXPECT_GT(augmentation.extents, 200);
  double area = 0;
  for (std::int64_t i = 0; i < augmentation.extents; ++i) {
    const auto& extent = augmentation.erase_extents[static_cast<std::size_t>(i)];
    area += static_cast<double>(extent.height) * extent.width / 784;
    EXPECT_LT(extent.height, 28);
    EXPECT_LT(extent.width, 28);
    EXPECT_NEAR(std::log(static_cast<double>(extent.height) / extent.width), 0, std::log(3.3) + 0.2);
  }
  // The mean of a million draws by the algorithm of RandomErasing.get_params is 0.1738.
  EXPECT_NEAR(area / static_cast<double>(augmentation.extents), 0.1738, 0.003);
}

TEST_F(InputOptions, AugmentationThatDoesNotFitIsRefused) {
  const Shape image{1, 20, 8};
  EXPECT_EQ(usage_error_of([&] { (void)fitted({.shift = 7, .cutout = 7}, image); }), "accepted");
  EXPECT_THAT(usage_error_of([&] { (void)fitted({.shift = 8}, image); }),
              HasSubstr("shift:8: expected fewer"));
  EXPECT_THAT(usage_error_of([&] { (void)fitted({.cutout = 8}, image); }),
              HasSubstr("cutout:8: expected fewer"));
  EXPECT_THAT(usage_error_of([&] {
                (void)fitted({.flip = FlipMode::kRandom}, {784, 1, 1});
              }),
              testing::StrEq("--augment: the samples are vectors of 784 values, expected images"));
  EXPECT_THAT(usage_error_of([&] {
                (void)fitted({.erase_probability = 1}, {1, 1, 9});
              }),
              HasSubstr("no rectangle fits into samples of 1x1x9"));
  EXPECT_EQ(usage_error_of([&] { (void)fitted({}, {784, 1, 1}); }), "accepted");
}

TEST_F(InputOptions, RandomNumbersDependOnTheSeedOfTheRun) {
  const auto plan = plan_network(parse_network("linear(2)"), {1, 8, 8});
  TrainOptions options;
  options.augmentation.shift = 2;
  options.seed = 77;
  EXPECT_EQ(training_input(plan, options).augmentation.seed, 77U);
  EXPECT_EQ(training_input(plan, options).augmentation.shift, 2);
  EXPECT_TRUE(evaluation_input(plan, options).is_plain());
}

TEST_F(InputOptions, ViewsHaveSharesThatAddUpToOne) {
  const Normalization normalization{1, {0.5F}, {0.25F}};
  const Shape image{1, 4, 4};
  EXPECT_THAT(test_views({}, normalization, {784, 1, 1}), SizeIs(1));
  EXPECT_THAT(test_views({.flip = true}, normalization, image), SizeIs(2));
  EXPECT_THAT(test_views({.shift = 2}, normalization, image), SizeIs(3));
  const auto views = test_views({.flip = true, .shift = 1}, normalization, image);
  ASSERT_THAT(views, SizeIs(6));
  EXPECT_TRUE(views.front().input.view.moves_nothing());
  EXPECT_EQ(views.front().share, 0.25F);
  EXPECT_EQ(views.back().share, 0.125F);
  float sum = 0;
  for (const auto& view : views) sum += view.share;
  EXPECT_EQ(sum, 1);
  EXPECT_EQ(views[2].input.view.down, -1);
  EXPECT_EQ(views[5].input.view.right, 1);
  EXPECT_TRUE(views[5].input.view.flips);
  EXPECT_EQ(views[5].input.normalization, normalization);
  EXPECT_THAT(usage_error_of([&] {
                test_views({.flip = true}, normalization, {784, 1, 1});
              }),
              HasSubstr("--tta"));
  EXPECT_THAT(usage_error_of([&] { test_views({.shift = 4}, normalization, image); }), HasSubstr("--tta"));
}

}  // namespace
}  // namespace warpfit::test
