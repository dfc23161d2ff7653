// From what a command line asks of training to the options of a run.
#include "host/cli/training_setup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/base/error.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class TrainingSetup : public testing::Test {
 protected:
  TrainCommand command_;
};

TEST_F(TrainingSetup, RefusesTwoAveragesAndNone) {
  command_.run.training.epochs = 5;
  command_.run.training.swa_start = 5;
  EXPECT_EQ(run_options_of(command_).training.swa_start, 5);
  command_.run.training.swa_start = 6;
  EXPECT_THAT([&] { run_options_of(command_); },
              ThrowsMessage<UsageError>(HasSubstr("--swa-start 6: expected an epoch up to --epochs 5")));
  command_.run.training.swa_start = 1;
  command_.run.training.ema = 0.9;
  EXPECT_THAT([&] { run_options_of(command_); },
              ThrowsMessage<UsageError>(HasSubstr("--ema and --swa-start: expected one of them")));
}

TEST_F(TrainingSetup, RefusesClassWeightsOfOtherLosses) {
  command_.run.class_weights.balanced = true;
  for (const auto kind : {LossKind::kCrossEntropy, LossKind::kNll}) {
    command_.run.training.loss.kind = kind;
    EXPECT_NO_THROW(run_options_of(command_));
  }
  command_.run.training.loss.kind = LossKind::kMse;
  EXPECT_THAT([&] { run_options_of(command_); },
              ThrowsMessage<UsageError>(HasSubstr("--class-weights: expected --loss cross-entropy or nll")));
}

TEST_F(TrainingSetup, WaitsForAnImprovementOfAValidationSetOnly) {
  for (const std::int64_t patience : {1, 2, 100}) {
    command_.run.training.patience = patience;
    command_.run.validation.share = 0;
    EXPECT_THAT([&] { run_options_of(command_); },
                ThrowsMessage<UsageError>(HasSubstr("--patience: expected")));
    command_.run.validation.share = 0.1;
    EXPECT_EQ(run_options_of(command_).training.patience, patience);
  }
  command_.run.training.patience = 0;
  command_.run.validation.share = 0;
  EXPECT_EQ(run_options_of(command_).training.patience, 0);
}

TEST_F(TrainingSetup, RefusesWhatWouldHaveNoEffect) {
  command_.run.training.loss.label_smoothing = 0.1F;
  for (const auto kind : {LossKind::kMse, LossKind::kNll}) {
    command_.run.training.loss.kind = kind;
    EXPECT_THAT([&] { run_options_of(command_); },
                ThrowsMessage<UsageError>(HasSubstr("--label-smoothing: expected --loss cross-entropy")));
  }
  command_.run.training.loss.kind = LossKind::kCrossEntropy;
  EXPECT_EQ(run_options_of(command_).training.loss.label_smoothing, 0.1F);

  command_.schedule.kind = ScheduleKind::kOneCycle;
  command_.schedule.max_rate = 0.1;
  EXPECT_NO_THROW(run_options_of(command_));
  command_.optimizer.rate = 0.01;
  EXPECT_THAT([&] { run_options_of(command_); }, ThrowsMessage<UsageError>(HasSubstr("--lr: ")));
}

TEST_F(TrainingSetup, RefusesParametersOfAnotherLoss) {
  auto& loss = command_.run.training.loss;
  const auto refused = [&](const std::string& message) {
    EXPECT_THAT([&] { run_options_of(command_); }, ThrowsMessage<UsageError>(HasSubstr(message)));
  };
  loss = {.kind = LossKind::kHuber, .beta = 0.5F};
  refused("--beta: expected --loss smooth-l1");
  loss = {.kind = LossKind::kSmoothL1, .delta = 0.5F};
  refused("--delta: expected --loss huber");
  loss = {.kind = LossKind::kHuber, .delta = 0};
  refused("--delta 0: expected a number above 0");
  loss = {.kind = LossKind::kSmoothL1, .beta = 0};
  EXPECT_NO_THROW(run_options_of(command_));
  loss = {.kind = LossKind::kHuber, .delta = 2};
  EXPECT_NO_THROW(run_options_of(command_));
}

}  // namespace
}  // namespace warpfit::test
