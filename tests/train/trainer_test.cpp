#include "host/train/trainer.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "host/backend/make_backend.hpp"
#include "host/model/initializer.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/files.hpp"
#include "tests/support/losses.hpp"

namespace warpfit::test {
namespace {

struct Trained {
  std::vector<float> parameters;
  std::vector<float> losses;
};

Trained train_on_sample(int threads, std::int64_t log_every = 1) {
  const auto paths = find_dataset(sample_folder().string(), {});
  const Dataset training_set(paths.train_images, paths.train_labels);
  const Dataset test_set(paths.test_images, paths.test_labels);
  const auto backend = make_backend({.device = {DeviceChoice::Kind::kCpu}, .threads = threads});
  const NetworkSpec spec{{784, 512, 512, 10}};
  const ParameterLayout layout(spec);
  TorchGenerator generator(0);
  const Network network(*backend, spec, layout, initial_parameters(layout, generator));
  Losses losses;
  const TrainOptions options{.epochs = 3,
                             .batch_size = 64,
                             .learning_rate = 0.01,
                             .seed = 0,
                             .shuffle = true,
                             .log_every = log_every};
  Trainer(*backend, network, {training_set, std::nullopt, test_set}, options, generator, losses).run();
  return {network.parameters().to_host(), losses.values};
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

// Lines cut the chunks into runs of batches; how they are cut must not matter.
TEST(Trainer, ReportsTheLossesOfTheBatchesItWasAskedFor) {
  const auto each = train_on_sample(2);
  const auto third = train_on_sample(2, 3);
  EXPECT_EQ(third.parameters, each.parameters);
  ASSERT_EQ(third.losses.size(), 6U);  // batches 0 and 3 of 5, three epochs
  for (std::size_t i = 0; i < third.losses.size(); ++i) {
    EXPECT_EQ(third.losses[i], each.losses[i / 2 * 5 + i % 2 * 3]) << i;
  }
}

}  // namespace
}  // namespace warpfit::test
