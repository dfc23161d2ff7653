// Training on the sample data set, for tests of where the samples are stored.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "host/model/initializer.hpp"
#include "host/stream/dataset_files.hpp"
#include "host/train/trainer.hpp"
#include "tests/support/files.hpp"
#include "tests/support/losses.hpp"

namespace warpfit::test {

/// Bytes of both parts of the sample data set in device memory: pixels, labels, and sample indices.
constexpr std::int64_t kSampleBytes = (300 + 100) * (784 + 2 + 4);

/// Returns the losses of all batches and the final parameters.
inline std::pair<std::vector<float>, std::vector<float>> train_limited(Backend& backend, bool shuffle,
                                                                       Residency residency,
                                                                       std::optional<std::int64_t> limit) {
  const auto paths = find_dataset(sample_folder().string(), {});
  const Dataset training_set(paths.train_images, paths.train_labels);
  const Dataset test_set(paths.test_images, paths.test_labels);
  const NetworkSpec spec = multilayer_perceptron({784, 16, 10});
  const auto plan = plan_network(spec);
  TorchGenerator generator(0);
  Network network(backend, plan, initial_parameters(plan, generator));
  Losses losses;
  const TrainOptions options{.epochs = 2,
                             .batch_size = 16,
                             .learning_rate = 0.1,
                             .shuffle = shuffle,
                             .residency = residency,
                             .device_memory_limit = limit,
                             .log_every = 1};
  Trainer(backend, network, {training_set, std::nullopt, test_set}, options, generator, losses).run();
  return {losses.values, network.parameters().to_host()};
}

}  // namespace warpfit::test
