// From what a command line asks of training to what the trainer is given.
#include "host/cli/training_setup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "host/base/error.hpp"
#include "host/base/torch_random.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

// 20 samples of a pixel, which tells each from the others.
class TrainingSetup : public testing::Test {
 protected:
  TrainingSetup() {
    Bytes pixels(kSamples);
    std::iota(pixels.begin(), pixels.end(), 0);
    command_.data.files.train_images = folder_.add("images", idx({kSamples, 1}, pixels));
    command_.data.files.train_labels = folder_.add("labels", idx({kSamples}, Bytes(kSamples - 1) + Bytes{1}));
    command_.data.files.test_images = command_.data.files.train_images;
    command_.data.files.test_labels = command_.data.files.train_labels;
  }

  static Bytes pixels_of(const Subset& samples) {
    Bytes pixels(static_cast<std::size_t>(samples.size()));
    Bytes labels(pixels.size());
    samples.read(0, pixels, labels);
    return pixels;
  }

  static constexpr std::uint32_t kSamples = 20;
  TemporaryFolder folder_;
  TrainCommand command_;
};

// random_split takes its parts from torch.randperm with a generator of the seed.
TEST_F(TrainingSetup, SplitsAtRandomBySeed) {
  command_.validation = {.share = 0.25, .shuffle = true};
  for (const std::uint64_t seed : {0U, 1U, 42U}) {
    command_.training.seed = seed;
    const TrainingFiles files(command_);
    const auto data = files.data(command_);
    TorchGenerator generator(seed);
    const auto order = random_permutation(kSamples, generator);
    EXPECT_EQ(pixels_of(data.training), Bytes(order.begin(), order.begin() + 15)) << seed;
    EXPECT_EQ(pixels_of(*data.validation), Bytes(order.begin() + 15, order.end())) << seed;
  }
}

TEST_F(TrainingSetup, ValidatesOnTheLastSamplesOtherwise) {
  command_.validation = {.share = 0.25, .shuffle = false};
  const TrainingFiles files(command_);
  EXPECT_EQ(pixels_of(*files.data(command_).validation), (Bytes{15, 16, 17, 18, 19}));
  command_.validation.share = 0;
  EXPECT_EQ(files.data(command_).validation, std::nullopt);
  EXPECT_EQ(files.data(command_).training.size(), kSamples);
}

// 19 samples of class 0 and one of class 1.
TEST_F(TrainingSetup, BalancesClasses) {
  const TrainingFiles files(command_);
  const auto data = files.data(command_);
  EXPECT_THAT(files.class_weights({}, data.training), testing::IsEmpty());
  EXPECT_THAT(files.class_weights({.given = {3, 0.5F}}, data.training), testing::ElementsAre(3, 0.5F));
  EXPECT_THAT(files.class_weights({.balanced = true}, data.training),
              testing::ElementsAre(testing::FloatEq(20 / 19.0F / 2), testing::FloatEq(20 / 2.0F)));
  EXPECT_THAT(
      [&] {
        return files.class_weights({.given = {1, 2, 3}}, data.training);
      },
      ThrowsMessage<UsageError>(HasSubstr("--class-weights: 3 weights, but the network has 2 outputs")));
  command_.validation.share = 0.25;
  EXPECT_THAT([&] { return files.class_weights({.balanced = true}, files.data(command_).training); },
              ThrowsMessage<UsageError>(HasSubstr("class 1 has no training sample")));
}

TEST_F(TrainingSetup, RefusesTwoAveragesAndNone) {
  command_.training.epochs = 5;
  command_.training.swa_start = 5;
  EXPECT_EQ(training_options_of(command_).swa_start, 5);
  command_.training.swa_start = 6;
  EXPECT_THAT([&] { training_options_of(command_); },
              ThrowsMessage<UsageError>(HasSubstr("--swa-start 6: expected an epoch up to --epochs 5")));
  command_.training.swa_start = 1;
  command_.training.ema = 0.9;
  EXPECT_THAT([&] { training_options_of(command_); },
              ThrowsMessage<UsageError>(HasSubstr("--ema and --swa-start: expected one of them")));
}

TEST_F(TrainingSetup, RefusesClassWeightsOfOtherLosses) {
  command_.class_weights.balanced = true;
  for (const auto kind : {LossKind::kCrossEntropy, LossKind::kNll}) {
    command_.training.loss.kind = kind;
    EXPECT_NO_THROW(training_options_of(command_));
  }
  command_.training.loss.kind = LossKind::kMse;
  EXPECT_THAT([&] { training_options_of(command_); },
              ThrowsMessage<UsageError>(HasSubstr("--class-weights: expected --loss cross-entropy or nll")));
}

TEST_F(TrainingSetup, WaitsForAnImprovementOfAValidationSetOnly) {
  for (const std::int64_t patience : {1, 2, 100}) {
    command_.training.patience = patience;
    command_.validation.share = 0;
    EXPECT_THAT([&] { training_options_of(command_); },
                ThrowsMessage<UsageError>(HasSubstr("--patience: expected")));
    command_.validation.share = 0.1;
    EXPECT_EQ(training_options_of(command_).patience, patience);
  }
  command_.training.patience = 0;
  command_.validation.share = 0;
  EXPECT_EQ(training_options_of(command_).patience, 0);
}

TEST_F(TrainingSetup, RefusesWhatWouldHaveNoEffect) {
  command_.training.loss.label_smoothing = 0.1F;
  for (const auto kind : {LossKind::kMse, LossKind::kNll}) {
    command_.training.loss.kind = kind;
    EXPECT_THAT([&] { training_options_of(command_); },
                ThrowsMessage<UsageError>(HasSubstr("--label-smoothing: expected --loss cross-entropy")));
  }
  command_.training.loss.kind = LossKind::kCrossEntropy;
  EXPECT_EQ(training_options_of(command_).loss.label_smoothing, 0.1F);

  command_.schedule.kind = ScheduleKind::kOneCycle;
  command_.schedule.max_rate = 0.1;
  EXPECT_NO_THROW(training_options_of(command_));
  command_.optimizer.rate = 0.01;
  EXPECT_THAT([&] { training_options_of(command_); }, ThrowsMessage<UsageError>(HasSubstr("--lr: ")));
}

TEST_F(TrainingSetup, RefusesParametersOfAnotherLoss) {
  auto& loss = command_.training.loss;
  const auto refused = [&](const std::string& message) {
    EXPECT_THAT([&] { training_options_of(command_); }, ThrowsMessage<UsageError>(HasSubstr(message)));
  };
  loss = {.kind = LossKind::kHuber, .beta = 0.5F};
  refused("--beta: expected --loss smooth-l1");
  loss = {.kind = LossKind::kSmoothL1, .delta = 0.5F};
  refused("--delta: expected --loss huber");
  loss = {.kind = LossKind::kHuber, .delta = 0};
  refused("--delta 0: expected a number above 0");
  loss = {.kind = LossKind::kSmoothL1, .beta = 0};
  EXPECT_NO_THROW(training_options_of(command_));
  loss = {.kind = LossKind::kHuber, .delta = 2};
  EXPECT_NO_THROW(training_options_of(command_));
}

}  // namespace
}  // namespace warpfit::test
