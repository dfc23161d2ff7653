#include "host/train/trainer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "host/model/initializer.hpp"
#include "host/run/make_backend.hpp"
#include "host/stream/dataset_files.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/files.hpp"
#include "tests/support/saved_model.hpp"

namespace warpfit::test {
namespace {

struct Trained {
  std::vector<float> parameters;
  std::vector<float> losses;
  Result test;  ///< of the last epoch
};

class LossesAndResult final : public Report {
 public:
  void loss(const LossReport& report) override { losses.push_back(report.loss); }
  void epoch_ended(const EpochReport& report) override { test = report.test; }

  std::vector<float> losses;
  Result test;
};

Trained train_on_sample(int threads, const TrainOptions& options,
                        const NetworkSpec& spec = multilayer_perceptron({784, 512, 512, 10})) {
  const auto paths = find_dataset(sample_folder().string(), {});
  const Dataset training_set(paths.train_images, paths.train_labels);
  const Dataset test_set(paths.test_images, paths.test_labels);
  const auto backend = make_backend({.device = {DeviceChoice::Kind::kCpu}, .threads = threads});
  const auto plan = plan_network(spec);
  TorchGenerator generator(0);
  Network network(*backend, plan, initial_parameters(plan, generator));
  LossesAndResult report;
  Trainer(*backend, network, {training_set, std::nullopt, test_set}, options, generator, report).run();
  return {network.parameters().to_host(), report.losses, report.test};
}

Trained train_on_sample(int threads, std::int64_t log_every = 1) {
  return train_on_sample(threads, {.epochs = 3,
                                   .batch_size = 64,
                                   .learning_rate = 0.01,
                                   .seed = 0,
                                   .shuffle = true,
                                   .log_every = log_every});
}

TEST(Trainer, GivesTheSameBitsForTheSameSeed) {
  const auto first = train_on_sample(2);
  const auto second = train_on_sample(2);
  EXPECT_EQ(first.parameters, second.parameters);
  EXPECT_EQ(first.losses, second.losses);
}

TEST(Trainer, TrainsAlikeWithAnyNumberOfThreads) {
  const auto one = train_on_sample(1);
  const auto two = train_on_sample(2);
  ASSERT_EQ(one.losses.size(), 15U);
  EXPECT_TRUE(all_close(two.losses, std::vector<double>(one.losses.begin(), one.losses.end()), {5e-5, 0}));
}

// Log lines split the chunks into runs of batches; how they are split must not affect the results.
TEST(Trainer, ReportsTheLossesOfTheBatchesItWasAskedFor) {
  const auto each = train_on_sample(2);
  const auto third = train_on_sample(2, 3);
  EXPECT_EQ(third.parameters, each.parameters);
  ASSERT_EQ(third.losses.size(), 6U);  // batches 0 and 3 of 5, three epochs
  for (std::size_t i = 0; i < third.losses.size(); ++i) {
    EXPECT_EQ(third.losses[i], each.losses[i / 2 * 5 + i % 2 * 3]) << i;
  }
}

// Enough batches for the trainer to queue several runs at once.
TEST(Trainer, ReportsTheLossesOfManyBatches) {
  const NetworkSpec spec = multilayer_perceptron({784, 16, 10});
  TrainOptions options{.epochs = 2, .batch_size = 3, .learning_rate = 0.01, .log_every = 1};
  const auto each = train_on_sample(1, options, spec);
  options.log_every = 7;
  const auto seventh = train_on_sample(1, options, spec);
  EXPECT_EQ(seventh.parameters, each.parameters);
  std::vector<float> due;
  for (std::size_t batch = 0; batch < each.losses.size(); ++batch) {
    if (batch % 100 % 7 == 0) due.push_back(each.losses[batch]);
  }
  EXPECT_EQ(seventh.losses, due);
}

// With learning rate 0 and batch size 1, each loss identifies its sample: the order of each epoch is drawn
// after the random numbers that the preceding evaluation draws.
TEST(Trainer, VisitsTheSamplesInPyTorchsOrderAfterAnEvaluation) {
  const NetworkSpec spec = multilayer_perceptron({784, 10});
  TrainOptions options{.epochs = 2, .batch_size = 1, .learning_rate = 0, .log_every = 1};
  const auto in_file_order = train_on_sample(1, options, spec).losses;
  options.shuffle = true;
  const auto shuffled = train_on_sample(1, options, spec).losses;

  TorchGenerator generator(0);
  initial_parameters(plan_network(spec), generator);
  std::vector<float> expected;
  for (int epoch = 0; epoch < 2; ++epoch) {
    const auto order = SampleOrder::of_pass(300, true, generator);
    for (const auto sample : order.indices(0, 300)) expected.push_back(in_file_order[sample]);
    SampleOrder::of_pass(100, false, generator);
  }
  EXPECT_EQ(shuffled, expected);
}

// With learning rate 0, only the dropout masks change a loss.
TEST(Trainer, DropsOutOtherValuesInEachStepAndForEachSeed) {
  const NetworkSpec spec = multilayer_perceptron({784, 16, 10});
  TrainOptions options{.epochs = 2, .batch_size = 300, .learning_rate = 0, .log_every = 1};
  const auto whole = train_on_sample(1, options, spec).losses;
  ASSERT_EQ(whole.size(), 2U);
  EXPECT_EQ(whole[0], whole[1]);
  const auto with = with_dropout(spec, 0.5F);
  const auto dropped = train_on_sample(1, options, with).losses;
  EXPECT_NE(dropped[0], whole[0]);
  EXPECT_NE(dropped[0], dropped[1]);
  EXPECT_EQ(train_on_sample(1, options, with).losses, dropped);
  options.seed = 1;
  EXPECT_NE(train_on_sample(1, options, with).losses[0], dropped[0]);
}

// 100 test samples: three batches of 33, and one of a single sample.
TEST(Trainer, EvaluatesALastBatchOfOneSample) {
  const NetworkSpec spec = multilayer_perceptron({784, 16, 10});
  const auto trained =
      train_on_sample(1, {.epochs = 1, .batch_size = 33, .learning_rate = 0.1, .log_every = 1}, spec);
  const auto paths = find_dataset(sample_folder().string(), {});
  const Dataset samples(paths.test_images, paths.test_labels);
  const auto logits = reference_logits(spec, trained.parameters, samples);
  double loss = 0;
  std::int64_t correct = 0;
  for (std::size_t sample = 0; sample < 100; ++sample) {
    const auto row = std::span(logits).subspan(10 * sample, 10);
    const auto label = samples.labels()[sample];
    double sum = 0;
    for (const double logit : row) sum += std::exp(logit);
    loss += (std::log(sum) - row[label]) / (sample < 99 ? 33 : 1) / 4;
    correct += std::ranges::max_element(row) - row.begin() == label ? 1 : 0;
  }
  EXPECT_NEAR(trained.test.loss, loss, 1e-5 * loss);
  EXPECT_EQ(trained.test.correct, correct);
}

// The learning rate is so high that every gradient exceeds the limits: a step changes a parameter by no more
// than they allow.
TEST(Trainer, ClipsTheGradientsOfPlainSgd) {
  const NetworkSpec spec = multilayer_perceptron({784, 16, 10});
  TrainOptions options{.epochs = 1, .batch_size = 300, .learning_rate = 0, .log_every = 1};
  const auto before = train_on_sample(1, options, spec).parameters;
  options.learning_rate = 1;
  const auto furthest = [&](const Clipping& clipping) {
    options.clipping = clipping;
    const auto after = train_on_sample(1, options, spec).parameters;
    double largest = 0;
    for (std::size_t i = 0; i < after.size(); ++i)
      largest = std::max(largest, std::abs(double{after[i]} - before[i]));
    return largest;
  };
  EXPECT_GT(furthest({}), 0.02);
  EXPECT_NEAR(furthest({.value = 0.001F}), 0.001, 1e-6);
  EXPECT_LT(furthest({.norm = 0.001F}), 0.0011);
}

}  // namespace
}  // namespace warpfit::test
