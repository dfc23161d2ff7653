// From the training options of a command line to the options of a run.
#include "host/cli/training_setup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "host/base/error.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class TrainingSetup : public testing::Test {
 protected:
  TrainCommand command_;
  const Options rows_ = options_of(command_);
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
              ThrowsMessage<UsageError>(HasSubstr("--ema and --swa-start: expected only one of them")));
}

TEST_F(TrainingSetup, RefusesClassWeightsOfOtherLosses) {
  command_.run.class_weights.balanced = true;
  for (const auto kind : {LossKind::kCrossEntropy, LossKind::kNll}) {
    command_.run.training.loss.kind = kind;
    EXPECT_NO_THROW(run_options_of(command_));
  }
  command_.run.training.loss.kind = LossKind::kMse;
  EXPECT_THAT([&] { run_options_of(command_); },
              ThrowsMessage<UsageError>(HasSubstr("--class-weights: requires --loss cross-entropy or nll")));
}

TEST_F(TrainingSetup, WaitsForAnImprovementOfAValidationSetOnly) {
  for (const std::int64_t patience : {1, 2, 100}) {
    command_.run.training.patience = patience;
    command_.run.validation.share = 0;
    EXPECT_THAT([&] { run_options_of(command_); },
                ThrowsMessage<UsageError>(HasSubstr("--patience: requires")));
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
                ThrowsMessage<UsageError>(HasSubstr("--label-smoothing: requires --loss cross-entropy")));
  }
  command_.run.training.loss.kind = LossKind::kCrossEntropy;
  EXPECT_EQ(run_options_of(command_).training.loss.label_smoothing, 0.1F);

  command_.schedule.kind = ScheduleKind::kOneCycle;
  command_.schedule.max_rate = 0.1;
  EXPECT_NO_THROW(run_options_of(command_));
  command_.optimizer.rate = 0.01;
  EXPECT_THAT([&] { run_options_of(command_); }, ThrowsMessage<UsageError>(HasSubstr("--lr: ")));
}

TEST_F(TrainingSetup, LeavesParametersWithoutDecayWhereThereIsDecay) {
  auto& optimizer = command_.optimizer;
  const auto& no_decay = *std::ranges::find(rows_, "--no-decay", &Option::flag);
  for (const char* kinds : {"bias", "norm", "bias,norm"}) {
    no_decay.set(kinds);
    EXPECT_EQ(no_decay.get(), kinds);
    optimizer.weight_decay = 0;
    EXPECT_THAT(
        [&] { run_options_of(command_); },
        ThrowsMessage<UsageError>(HasSubstr("--no-decay: requires an optimizer with --weight-decay")));
    optimizer.weight_decay = 0.1;
    const auto found = run_options_of(command_).training.no_decay;
    EXPECT_EQ(found.biases, std::string_view(kinds) != "norm");
    EXPECT_EQ(found.norms, std::string_view(kinds) != "bias");
  }
  EXPECT_THAT([&] { no_decay.set("weight"); },
              ThrowsMessage<UsageError>(HasSubstr("expected bias, norm or")));
}

TEST_F(TrainingSetup, FreezesParametersByTheirNames) {
  const auto& freeze = *std::ranges::find(rows_, "--freeze", &Option::flag);
  EXPECT_EQ(freeze.get(), "");
  freeze.set("0.weight,*.bias");
  EXPECT_EQ(freeze.get(), "0.weight,*.bias");
  EXPECT_EQ(run_options_of(command_).freeze, (std::vector<std::string>{"0.weight", "*.bias"}));
  EXPECT_THAT(run_options_of(command_).config, HasSubstr("freeze = \"0.weight,*.bias\"\n"));
  for (const char* patterns : {",", "0.weight,", ",0.weight", "0.weight,,1.weight"}) {
    EXPECT_THAT([&] { freeze.set(patterns); },
                ThrowsMessage<UsageError>(HasSubstr("expected names or patterns separated by commas")));
  }
}

TEST_F(TrainingSetup, ReadsFactorsOfTheLearningRate) {
  const auto& factors = *std::ranges::find(rows_, "--lr-factor", &Option::flag);
  EXPECT_EQ(factors.get(), "");
  factors.set("*.bias=64,0.weight=0.125,a=b=0");
  EXPECT_EQ(factors.get(), "*.bias=64,0.weight=0.125,a=b=0");
  const auto read = run_options_of(command_).training.rate_factors;
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(read[1].pattern, "0.weight");
  EXPECT_EQ(read[1].factor, 0.125F);
  EXPECT_EQ(read[2].pattern, "a=b");
  for (const char* given : {",", "0.weight", "0.weight=", "=2", "0.weight=-1", "0.weight=nan",
                            "0.weight=1e39", "0.weight=1,", "0.weight=1 ", "0.weight=1,1.weight"}) {
    EXPECT_THAT([&] { factors.set(given); },
                ThrowsMessage<UsageError>(HasSubstr("expected patterns with factors of 0 or more")));
  }
}

TEST_F(TrainingSetup, MuonIsForMatricesAndAdamwForTheRest) {
  EXPECT_FALSE(run_options_of(command_).training.muon);
  command_.optimizer.kind = OptimizerKind::kMuon;
  const auto training = run_options_of(command_).training;
  ASSERT_TRUE(training.muon);
  EXPECT_EQ(training.muon->momentum, 0.95);
  EXPECT_EQ(training.muon->weight_decay, 0.1);
  EXPECT_TRUE(training.muon->nesterov);
  const auto& rest = std::get<Adam>(training.optimizer);
  EXPECT_TRUE(rest.decoupled);
  EXPECT_EQ(rest.weight_decay, 0.01F);
  command_.optimizer.muon_rest = OptimizerKind::kSgd;
  command_.optimizer.weight_decay = 0.5;
  const auto with_sgd = run_options_of(command_).training;
  EXPECT_EQ(with_sgd.muon->weight_decay, 0.5);
  EXPECT_EQ(std::get<Sgd>(with_sgd.optimizer).weight_decay, 0.5F);
  command_.optimizer.kind = OptimizerKind::kAdam;
  EXPECT_THAT([&] { run_options_of(command_); },
              ThrowsMessage<UsageError>(HasSubstr("--muon-rest: --optimizer adam has no such setting")));
}

TEST_F(TrainingSetup, RefusesParametersOfAnotherLoss) {
  auto& loss = command_.run.training.loss;
  const auto refused = [&](const std::string& message) {
    EXPECT_THAT([&] { run_options_of(command_); }, ThrowsMessage<UsageError>(HasSubstr(message)));
  };
  loss = {.kind = LossKind::kHuber, .beta = 0.5F};
  refused("--beta: requires --loss smooth-l1");
  loss = {.kind = LossKind::kSmoothL1, .delta = 0.5F};
  refused("--delta: requires --loss huber");
  loss = {.kind = LossKind::kHuber, .delta = 0};
  refused("--delta 0: expected a number above 0");
  loss = {.kind = LossKind::kSmoothL1, .beta = 0};
  EXPECT_NO_THROW(run_options_of(command_));
  loss = {.kind = LossKind::kHuber, .delta = 2};
  EXPECT_NO_THROW(run_options_of(command_));
}

}  // namespace
}  // namespace warpfit::test
