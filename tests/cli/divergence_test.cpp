// Runs whose values overflow end with exit code 8 and a message, and write no file with such values.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "host/train/checkpoint.hpp"
#include "tests/support/linear_tensors.hpp"
#include "tests/support/program.hpp"
#include "tests/support/saved_model.hpp"

namespace warpfit::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Divergence : public testing::Test {
 protected:
  // Data sets of two samples with three pixels, all of the same value; the labels are 0 and 1.
  void add_data(std::uint8_t training, std::uint8_t test) const {
    const auto add = [this](const std::string& set, std::uint8_t pixel) {
      folder_.add(set + "-images-idx3-ubyte", idx({2, 1, 3}, Bytes(6, pixel)));
      folder_.add(set + "-labels-idx1-ubyte", idx({2}, {0, 1}));
    };
    add("train", training);
    add("t10k", test);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  [[nodiscard]] Outcome train(const std::vector<std::string>& more) const {
    std::vector<std::string> all{"train",      "--data",    folder_.path().string(),
                                 "--device",   "cpu",       "--threads",
                                 "1",          "--run-dir", path("run"),
                                 "--network",  "3-8-2",     "--save",
                                 path("model")};
    all.insert(all.end(), more.begin(), more.end());
    return run_warpfit(all);
  }
  // Exit code 8, no model, and the given number of checkpoints, all of them readable.
  void expect_diverged(const Outcome& outcome, const std::string& message, std::size_t checkpoints) const {
    EXPECT_EQ(outcome.exit_code, 8) << outcome.error;
    EXPECT_THAT(outcome.error, HasSubstr(message));
    EXPECT_THAT(outcome.error, HasSubstr("try a lower --lr"));
    EXPECT_THAT(outcome.out, testing::Not(HasSubstr("Done!")));
    for (const char* name : {"model", "run/model.safetensors"}) EXPECT_FALSE(fs::exists(path(name))) << name;
    std::size_t found = 0;
    for (const auto& entry : fs::directory_iterator(path("run/checkpoints"))) {
      EXPECT_NO_THROW(load_checkpoint(entry.path().string()));
      ++found;
    }
    EXPECT_EQ(found, checkpoints);
  }
  // A model whose output is finite for black pixels and overflows for all others.
  [[nodiscard]] std::string huge_model() const {
    Model model{{.network = multilayer_perceptron({3, 8, 2}), .sample_shape = {3}}, {}};
    const auto plan = plan_of(model.info);
    model.parameters.resize(plan.floats);
    for (const auto& layer : linear_tensors(plan)) {
      std::fill_n(model.parameters.begin() + static_cast<std::ptrdiff_t>(layer.weight), layer.weight_size(),
                  3e38F);
    }
    return add_model(folder_, "huge", model);
  }

  TemporaryFolder folder_;
};

TEST_F(Divergence, OfTheLastStepIsSeenInTheEvaluation) {
  add_data(255, 255);
  expect_diverged(train({"--epochs", "1", "--lr", "1e30"}), "epoch 1: the loss of the test set", 0);
  EXPECT_FALSE(fs::exists(path("run/best.safetensors")));
}

TEST_F(Divergence, OfTheTestSetAloneKeepsNoCheckpoint) {
  add_data(0, 255);
  const auto outcome =
      train({"--epochs", "6", "--checkpoint-every", "1epoch", "--lr", "0", "--init-from", huge_model()});
  expect_diverged(outcome, "epoch 1: the loss of the test set is not a finite number", 0);
}

TEST_F(Divergence, OfTheValidationSetIsSeen) {
  add_data(0, 0);
  folder_.add("train-images-idx3-ubyte", idx({2, 1, 3}, {0, 0, 0, 255, 255, 255}));
  const auto outcome =
      train({"--epochs", "1", "--validation-split", "0.5", "--lr", "0", "--init-from", huge_model()});
  expect_diverged(outcome, "epoch 1: the loss of the validation set is not a finite number", 0);
}

// The loss of the first step is finite, but the parameters after it are not.
TEST_F(Divergence, OfTheParametersKeepsTheLastGoodCheckpoint) {
  add_data(255, 255);
  const auto outcome =
      train({"--epochs", "3", "--batch-size", "1", "--lr", "1e300", "--checkpoint-every", "1"});
  expect_diverged(outcome, "step 1: a parameter is not a finite number", 0);

  // With a learning rate that grows until training diverges, the earlier checkpoints are kept.
  fs::remove_all(path("run"));
  const auto later = train({"--epochs", "50", "--batch-size", "1", "--lr", "1e36", "--warmup", "1000000000",
                            "--checkpoint-every", "1"});
  EXPECT_EQ(later.exit_code, 8) << later.error;
  const auto resumed = run_warpfit({"resume", path("run")});
  EXPECT_EQ(resumed.exit_code, 8) << resumed.error;
  EXPECT_THAT(resumed.error, HasSubstr("resumed at epoch"));
  EXPECT_THAT(resumed.error, testing::Not(HasSubstr("skipped")));
}

}  // namespace
}  // namespace warpfit::test
