// Conversion of the options of a run to the arguments of the trainer.
#include "host/run/training_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "host/base/error.hpp"
#include "host/base/torch_random.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

// 20 samples of one pixel, all different.
class TrainingFilesTest : public testing::Test {
 protected:
  TrainingFilesTest() {
    Bytes pixels(kSamples);
    std::iota(pixels.begin(), pixels.end(), 0);
    options_.data.files.train_images = folder_.add("images", idx({kSamples, 1}, pixels));
    options_.data.files.train_labels = folder_.add("labels", idx({kSamples}, Bytes(kSamples - 1) + Bytes{1}));
    options_.data.files.test_images = options_.data.files.train_images;
    options_.data.files.test_labels = options_.data.files.train_labels;
  }

  static Bytes pixels_of(const Subset& samples) {
    Bytes pixels(static_cast<std::size_t>(samples.size()));
    std::vector<Label> labels(pixels.size());
    samples.read(0, pixels, labels);
    return pixels;
  }

  static constexpr std::uint32_t kSamples = 20;
  TemporaryFolder folder_;
  RunOptions options_;
};

TEST_F(TrainingFilesTest, TakesTheNamesOfTheClassesNextToTheLabels) {
  EXPECT_TRUE(TrainingFiles(options_).model().class_names.empty());
  folder_.add("classes.txt", {'a', '\n', 'b', '\n'});
  EXPECT_EQ(TrainingFiles(options_).model().class_names, (std::vector<std::string>{"a", "b"}));
  options_.class_names = folder_.add("others", {'c', '\n', 'd'});
  EXPECT_EQ(TrainingFiles(options_).model().class_names, (std::vector<std::string>{"c", "d"}));
  folder_.add("others", {'c'});
  EXPECT_THAT([&] { TrainingFiles{options_}; },
              ThrowsMessage<UsageError>(HasSubstr("others: 1 names, but the network has 2 outputs")));
  options_.class_names.clear();
  folder_.add("classes.txt", {'a'});  // not requested, so that it is ignored
  EXPECT_TRUE(TrainingFiles(options_).model().class_names.empty());
  folder_.add("classes.txt", {'a', '\n', '\n', 'b'});
  EXPECT_TRUE(TrainingFiles(options_).model().class_names.empty());
}

TEST_F(TrainingFilesTest, GiveTheModelTheStatisticsOfItsPixels) {
  EXPECT_NEAR(TrainingFiles(options_).model().pixels->mean, 9.5 / 255, 1e-12);
  EXPECT_NEAR(TrainingFiles(options_).model().pixels->deviation, std::sqrt(33.25) / 255, 1e-12);
}

TEST_F(TrainingFilesTest, RefuseNoDecayOfLayersThatThereAreNone) {
  options_.training.no_decay.norms = true;
  EXPECT_THAT([&] { TrainingFiles{options_}; },
              ThrowsMessage<UsageError>(HasSubstr("no normalization layers")));
  options_.network = "linear(4),batchnorm,linear(2)";
  EXPECT_NO_THROW(TrainingFiles{options_});
}

TEST_F(TrainingFilesTest, FreezeParametersOfThePlan) {
  options_.network = "linear(4),relu,linear(2)";
  options_.freeze = {"0.*"};
  const TrainingFiles files(options_);
  EXPECT_FALSE(files.plan().tensors[1].requires_grad);
  EXPECT_TRUE(files.plan().tensors[2].requires_grad);
  options_.freeze = {"1.*"};
  EXPECT_THAT([&] { TrainingFiles{options_}; },
              ThrowsMessage<UsageError>(HasSubstr("--freeze 1.*: no parameter has a matching name")));
}

TEST_F(TrainingFilesTest, RefuseFactorsOfTheLearningRateWithoutEffect) {
  options_.network = "linear(4),relu,linear(2)";
  options_.training.rate_factors = {{"0.*", 2}, {"*", 3}};
  EXPECT_NO_THROW(TrainingFiles{options_});
  options_.training.rate_factors = {{"0.*", 2}, {"1.*", 3}};
  EXPECT_THAT(
      [&] { TrainingFiles{options_}; },
      ThrowsMessage<UsageError>(HasSubstr("--lr-factor 1.*: no parameter has a matching name; the names "
                                          "are 0.weight, 0.bias, 2.weight, 2.bias")));
  options_.training.rate_factors = {{"0.*", 2}, {"0.bias", 3}};
  EXPECT_THAT([&] { TrainingFiles{options_}; },
              ThrowsMessage<UsageError>(HasSubstr("--lr-factor 0.bias=3: no effect")));
  options_.training.rate_factors = {{"0.*", 2}};
  options_.freeze = {"0.*"};
  EXPECT_THAT([&] { TrainingFiles{options_}; },
              ThrowsMessage<UsageError>(HasSubstr("--lr-factor 0.*=2: no effect")));
}

TEST_F(TrainingFilesTest, TransposeBothSets) {
  options_.data.layout.is_transposed = true;
  for (auto* images : {&options_.data.files.train_images, &options_.data.files.test_images})
    *images = folder_.add("wide" + std::to_string(images == &options_.data.files.test_images),
                          idx({kSamples, 1, 2}, Bytes(2 * kSamples)));
  const TrainingFiles files(options_);
  EXPECT_EQ(files.model().sample_shape, (std::vector<std::int64_t>{2, 1}));
  EXPECT_THAT(files.identity(), HasSubstr("20x1x2 transposed"));
}

// random_split partitions the samples by torch.randperm with a generator of the seed.
TEST_F(TrainingFilesTest, SplitsAtRandomBySeed) {
  options_.validation = {.share = 0.25, .shuffle = true};
  for (const std::uint64_t seed : {0U, 1U, 42U}) {
    options_.training.seed = seed;
    const TrainingFiles files(options_);
    const auto data = files.data(options_);
    TorchGenerator generator(seed);
    const auto order = random_permutation(kSamples, generator);
    EXPECT_EQ(pixels_of(data.training), Bytes(order.begin(), order.begin() + 15)) << seed;
    EXPECT_EQ(pixels_of(*data.validation), Bytes(order.begin() + 15, order.end())) << seed;
  }
}

TEST_F(TrainingFilesTest, ValidatesOnTheLastSamplesOtherwise) {
  options_.validation = {.share = 0.25, .shuffle = false};
  const TrainingFiles files(options_);
  EXPECT_EQ(pixels_of(*files.data(options_).validation), (Bytes{15, 16, 17, 18, 19}));
  options_.validation.share = 0;
  EXPECT_EQ(files.data(options_).validation, std::nullopt);
  EXPECT_EQ(files.data(options_).training.size(), kSamples);
}

// 19 samples of class 0 and one of class 1.
TEST_F(TrainingFilesTest, BalancesClasses) {
  const TrainingFiles files(options_);
  const auto data = files.data(options_);
  EXPECT_THAT(files.class_weights({}, data.training), testing::IsEmpty());
  EXPECT_THAT(files.class_weights({.given = {3, 0.5F}}, data.training), testing::ElementsAre(3, 0.5F));
  EXPECT_THAT(files.class_weights({.balanced = true}, data.training),
              testing::ElementsAre(testing::FloatEq(20 / 19.0F / 2), testing::FloatEq(20 / 2.0F)));
  EXPECT_THAT(
      [&] {
        return files.class_weights({.given = {1, 2, 3}}, data.training);
      },
      ThrowsMessage<UsageError>(HasSubstr("--class-weights: 3 weights, but the network has 2 outputs")));
  options_.validation.share = 0.25;
  EXPECT_THAT([&] { return files.class_weights({.balanced = true}, files.data(options_).training); },
              ThrowsMessage<UsageError>(HasSubstr("class 1 has no training sample")));
}

}  // namespace
}  // namespace warpfit::test
