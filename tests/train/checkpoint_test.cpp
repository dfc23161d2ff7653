#include "host/train/checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include "host/base/error.hpp"
#include "host/files/safetensors_file.hpp"
#include "host/files/safetensors_writer.hpp"
#include "tests/support/files.hpp"
#include "tests/support/linear_tensors.hpp"
#include "tests/support/random.hpp"
#include "tests/support/sanitizers.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class CheckpointTest : public testing::Test {
 protected:
  CheckpointTest() {
    auto& state = checkpoint_.state;
    state = {.epoch = 3,
             .batch = 17,
             .step = 1893,
             .generator = TorchGenerator(0xfedcba9876543210, 20),
             .metrics = {.loss_sum = 1.0 / 3, .last_loss = 0.1F, .batches = 17, .correct = 99},
             .best = {.epoch = 2, .value = 2.0 / 3, .epochs_without_improvement = 1, .reference = 0.7},
             .parameters = filled(),
             .optimizer = {.moments = {filled(), std::vector<float>(), filled()},
                           .steps = 1893,
                           .scalar = 1.0F / 3,
                           .other_scalars = {0.25F, 2.0F / 3}},
             .gradient_sum = filled(),
             .averages = filled(),
             .averaged_models = 2};
  }

  // Parameters of the network, whose padding is 0.
  std::vector<float> filled() {
    const auto plan = plan_of(checkpoint_.info);
    std::vector<float> flat(plan.floats);
    for (const auto& layer : linear_tensors(plan)) {
      std::ranges::copy(values_.uniform(layer.inputs * layer.outputs), flat.begin() + layer.weight);
      std::ranges::copy(values_.uniform(layer.outputs), flat.begin() + layer.bias);
    }
    return flat;
  }

  void expect_same(const Checkpoint& read) const {
    const auto& a = read.state;
    const auto& b = checkpoint_.state;
    EXPECT_EQ(a.epoch, b.epoch);
    EXPECT_EQ(a.batch, b.batch);
    EXPECT_EQ(a.step, b.step);
    EXPECT_EQ(a.generator.seed(), b.generator.seed());
    EXPECT_EQ(a.generator.draws(), b.generator.draws());
    auto one = a.generator;
    auto other = b.generator;
    EXPECT_EQ(one.draw64(), other.draw64());
    EXPECT_EQ(a.metrics.loss_sum, b.metrics.loss_sum);
    EXPECT_EQ(a.metrics.last_loss, b.metrics.last_loss);
    EXPECT_EQ(a.metrics.batches, b.metrics.batches);
    EXPECT_EQ(a.metrics.correct, b.metrics.correct);
    EXPECT_EQ(a.best.epoch, b.best.epoch);
    EXPECT_EQ(a.best.value, b.best.value);
    EXPECT_EQ(a.best.epochs_without_improvement, b.best.epochs_without_improvement);
    EXPECT_EQ(a.best.reference, b.best.reference);
    EXPECT_EQ(a.parameters, b.parameters);
    EXPECT_EQ(a.optimizer.moments, b.optimizer.moments);
    EXPECT_EQ(a.optimizer.steps, b.optimizer.steps);
    EXPECT_EQ(a.optimizer.scalar, b.optimizer.scalar);
    EXPECT_EQ(a.optimizer.other_scalars, b.optimizer.other_scalars);
    EXPECT_EQ(a.gradient_sum, b.gradient_sum);
    EXPECT_EQ(a.averages, b.averages);
    EXPECT_EQ(a.averaged_models, b.averaged_models);
    EXPECT_EQ(read.metrics.json, checkpoint_.metrics.json);
    EXPECT_EQ(read.metrics.csv, checkpoint_.metrics.csv);
    EXPECT_EQ(read.data, checkpoint_.data);
    EXPECT_EQ(read.info.network, checkpoint_.info.network);
  }

  // Numbers of values for the parameters, and for three passes over data in each epoch.
  std::uint64_t max_draws() const { return checkpoint_.state.parameters.size() + 3 * 8; }

  TestValues values_;
  TemporaryFolder folder_;
  std::string path_ = (folder_.path() / "step.safetensors").string();
  Checkpoint checkpoint_{.info = {.network = multilayer_perceptron({3, 2, 2}), .sample_shape = {3}},
                         .state = {},
                         .metrics = {.json = 12345678901, .csv = 7},
                         .data = "10x3, labels 1f2e3d4c"};
};

TEST_F(CheckpointTest, HoldsTheWholeState) {
  save_checkpoint(path_, checkpoint_);
  expect_same(load_checkpoint(path_));
}

TEST_F(CheckpointTest, IsAModelToo) {
  save_checkpoint(path_, checkpoint_);
  EXPECT_EQ(load_model(path_).parameters, checkpoint_.state.parameters);
}

TEST_F(CheckpointTest, IsRefusedWhereItIsCut) {
  save_checkpoint(path_, checkpoint_);
  for (auto size = fs::file_size(path_); size > 0;) {
    fs::resize_file(path_, --size);
    ASSERT_THROW(load_checkpoint(path_), ModelError) << "cut to " << size << " bytes";
  }
}

TEST_F(CheckpointTest, IsRefusedWithAnyBitFlipped) {
  save_checkpoint(path_, checkpoint_);
  const auto bytes = read_file(path_);
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  const auto set_byte = [&file](std::size_t at, int value) {
    file.seekp(static_cast<std::streamoff>(at)).put(static_cast<char>(value)).flush();
  };
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (std::size_t bit = kSanitized ? at % 8 : 0; bit < 8; bit += kSanitized ? 8 : 1) {
      set_byte(at, bytes[at] ^ 1 << bit);
      ASSERT_THROW(load_checkpoint(path_), ModelError) << "bit " << bit << " of byte " << at;
    }
    set_byte(at, bytes[at]);
  }
  expect_same(load_checkpoint(path_));
}

TEST_F(CheckpointTest, IsReadWhereItIsOlderThanTheOptimizersScalar) {
  save_checkpoint(path_, checkpoint_);
  auto metadata = SafetensorsFile(path_).metadata();
  EXPECT_EQ(metadata.erase("warpfit.state.optimizer_scalar"), 1U);
  write_safetensors(path_, metadata, parameter_tensors(checkpoint_.info, checkpoint_.state.parameters));
  EXPECT_EQ(load_checkpoint(path_).state.optimizer.scalar, 0.0F);
}

// The writer must refuse what the reader refuses, otherwise a run would save checkpoints that cannot be
// loaded.
TEST_F(CheckpointTest, IsNeitherWrittenNorReadWithNumbersThatNoRunHas) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"epoch", "0"},
      {"epoch", "1000000002"},
      {"epoch", "9223372036854775807"},
      {"batch", "18"},
      {"step", "9223372036854775807"},
      {"optimizer_steps", "9223372036854775807"},
      {"optimizer_steps", "1894"},
      {"batches", "18"},
      {"correct", "9223372036854775807"},
      {"best_epoch", "3"},
      {"waited", "3"},
      {"best_value", "nan"},
      {"best_reference", "inf"},
      {"loss_sum", "-inf"},
      {"optimizer_scalar", "nan"},
      {"averaged_models", "-1"},
      {"averaged_models", "1894"},
      {"metrics_json_bytes", "18446744073709551615"},
      {"generator_draws", "18446744073709551615"},  // would take centuries to repeat
      {"generator_draws", std::to_string(max_draws() + 1)},
  };
  save_checkpoint(path_, checkpoint_);
  const auto right = SafetensorsFile(path_).metadata();
  for (const auto& [name, value] : wrong) {
    auto metadata = right;
    metadata.at("warpfit.state." + name) = value;
    write_safetensors(path_, metadata, parameter_tensors(checkpoint_.info, checkpoint_.state.parameters));
    EXPECT_THAT([&] { load_checkpoint(path_); }, testing::ThrowsMessage<ModelError>(HasSubstr(path_)))
        << name << " = " << value;
  }
  const std::vector<void (*)(TrainingState&)> changes{
      [](auto& state) { state.epoch = 0; },
      [](auto& state) { state.step = std::numeric_limits<std::int64_t>::max(); },
      [](auto& state) { state.metrics.batches = 18; },
      [](auto& state) { state.metrics.loss_sum = std::nan(""); },
      [](auto& state) { state.best.value = std::nan(""); },
      [](auto& state) { state.optimizer.steps = 1894; },
      [](auto& state) { state.optimizer.scalar = std::nanf(""); },
      [](auto& state) { state.generator = TorchGenerator(0, 1000); },
  };
  fs::remove(path_);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Checkpoint checkpoint = checkpoint_;
    changes[i](checkpoint.state);
    EXPECT_THROW(save_checkpoint(path_, checkpoint), ModelError) << "change " << i;
    EXPECT_FALSE(fs::exists(path_));
  }
  Checkpoint checkpoint = checkpoint_;
  checkpoint.state.generator = TorchGenerator(0, max_draws());
  save_checkpoint(path_, checkpoint);
  EXPECT_EQ(load_checkpoint(path_).state.generator.draws(), max_draws());
}

TEST_F(CheckpointTest, IsNeitherWrittenNorReadWithParametersThatAreNotFinite) {
  save_checkpoint(path_, checkpoint_);
  const auto before = read_file(path_);
  for (const float value : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
    Checkpoint checkpoint = checkpoint_;
    checkpoint.state.parameters[1] = value;
    EXPECT_THROW(save_checkpoint(path_, checkpoint), ModelError);
    EXPECT_EQ(read_file(path_), before);
    const auto metadata = SafetensorsFile(path_).metadata();
    const std::string other = path_ + "2";
    write_safetensors(other, metadata, parameter_tensors(checkpoint.info, checkpoint.state.parameters));
    EXPECT_THROW(load_checkpoint(other), ModelError);
  }
}

TEST_F(CheckpointTest, IsNoModelWithoutAState) {
  save_model(path_, checkpoint_.info, checkpoint_.state.parameters);
  EXPECT_THROW(load_checkpoint(path_), ModelError);
}

}  // namespace
}  // namespace warpfit::test
