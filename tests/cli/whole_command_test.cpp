// `warpfit train` with many options at once: each one affects the run, its files and its metrics. The results
// are compared with those of `eval`, run on the files in separate processes, and with PyTorch's formulas.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numbers>
#include <sstream>

#include "host/model/model_file.hpp"
#include "host/train/checkpoint.hpp"
#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace warpfit::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

constexpr double kRate = 0.01;
constexpr int kEpochs = 3;

// 240 of the sample images: 8 batches per epoch.
class WholeCommand : public testing::Test {
 protected:
  void SetUp() override {
    std::istringstream words(
        "--dropout .2 --loss nll --names a.b --warmup 5 --schedule cosine --optimizer adam --lr 0.01 "
        "--validation-split .2 --epochs 3 --batch-size 30 --log-every 1 --checkpoint-every 2epochs "
        "--network 784-16-10 --device cpu --threads 1");
    std::vector<std::string> all{"train",  "--data", sample_folder().string(), "--run-dir", path("r"),
                                 "--save", path("m")};
    for (std::string word; words >> word;) all.push_back(word);
    run_ = run_warpfit(all);
    ASSERT_EQ(run_.exit_code, 0) << run_.error;
    for (const auto& row : rows()) (row["kind"] == "step" ? steps_ : epochs_).push_back(row);
    ASSERT_EQ(steps_.size(), kEpochs * 8U);
    ASSERT_EQ(epochs_.size(), std::size_t{kEpochs});
  }

  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  [[nodiscard]] json eval(const std::string& model) const {
    const auto run = run_warpfit({"eval", path(model), "--data", sample_folder().string(), "--json",
                                  "--batch-size", "30", "--device", "cpu", "--threads", "1"});
    EXPECT_EQ(run.exit_code, 0) << run.error;
    return run.exit_code == 0 ? json::parse(run.out) : json();
  }

  [[nodiscard]] std::vector<json> rows() const {
    const auto bytes = read_file(path("r/metrics.jsonl"));
    std::istringstream lines(std::string(bytes.begin(), bytes.end()));
    std::vector<json> rows;
    for (std::string line; std::getline(lines, line);) rows.push_back(json::parse(line));
    return rows;
  }
  [[nodiscard]] std::vector<json> rows_without_times() const {
    auto all = rows();
    for (auto& row : all) {
      for (const char* name : {"seconds", "evaluation_seconds", "samples_per_second"}) row.erase(name);
    }
    return all;
  }

  /// The learning rate of step `step`, counted from 1, by CosineAnnealingLR with a warm-up over five batches.
  static double rate_of(int step) {
    const double epoch = (step - 1) / 8;
    const double rate = kRate * (1 + std::cos(std::numbers::pi * epoch / kEpochs)) / 2;
    return step > 5 ? rate : rate * step / 5;
  }

  TemporaryFolder folder_;
  Outcome run_;
  std::vector<json> steps_, epochs_;
};

// All files contain the model that was evaluated last, without dropout, except for the best model, which is
// that of the best validation result.
TEST_F(WholeCommand, SavesTheModelThatItEvaluated) {
  for (const char* model : {"m", "r/model.safetensors", "r/checkpoints/step_000000000024.safetensors"}) {
    const auto found = eval(model);
    EXPECT_EQ(found["loss"], epochs_.back()["test_loss"]) << model;
    EXPECT_EQ(found["correct"], epochs_.back()["test_correct"]) << model;
  }
  const auto best = std::ranges::min_element(
      epochs_, {}, [](const json& row) { return row["validation_loss"].get<double>(); });
  ASSERT_NE(best, epochs_.begin());  // otherwise the test shows nothing
  EXPECT_EQ(eval("r/best.safetensors")["loss"], (*best)["test_loss"]);
}

TEST_F(WholeCommand, TrainsAtTheRatesOfItsSchedule) {
  for (int step = 1; step <= kEpochs * 8; ++step) {
    const auto& row = steps_[static_cast<std::size_t>(step - 1)];
    EXPECT_DOUBLE_EQ(row["learning_rate"], rate_of(step)) << step;
    EXPECT_GT(row["gradient_norm"], 0) << step;
  }
  EXPECT_DOUBLE_EQ(steps_.front()["learning_rate"], kRate / 5);
  for (int epoch = 1; epoch <= kEpochs; ++epoch) {
    EXPECT_DOUBLE_EQ(epochs_[static_cast<std::size_t>(epoch - 1)]["learning_rate"], rate_of(8 * epoch));
  }
}

TEST_F(WholeCommand, DescribesTheNetworkInItsModels) {
  for (const char* name : {"m", "r/model.safetensors", "r/best.safetensors"}) {
    const auto info = load_model(path(name)).info;
    EXPECT_TRUE(info.log_softmax) << name;
    EXPECT_EQ(info.dropout, 0.2F) << name;
    EXPECT_THAT(parameter_names(info),
                testing::ElementsAre("a.b.0.weight", "a.b.0.bias", "a.b.3.weight", "a.b.3.bias"))
        << name;
  }
}

TEST_F(WholeCommand, PrintsTheResultsOfItsRows) {
  for (const auto& row : epochs_) {
    for (const auto& [title, set] : {std::pair{"Validation", "validation"}, {"Test", "test"}}) {
      const auto field = [&row, prefix = std::string(set) + "_"](const std::string& name) {
        return row[prefix + name].get<double>();
      };
      EXPECT_THAT(run_.out, HasSubstr(fmt::format("{} Error: \n Accuracy: {:.1f}%, Avg loss: {:>8f} \n",
                                                  title, 100 * field("accuracy"), field("loss"))));
    }
    EXPECT_THAT(run_.error, HasSubstr("device: " + row.value("device", "") + "\n"));
    EXPECT_THAT(row.value("device", ""), testing::StartsWith("CPU ("));
  }
  EXPECT_THAT(run_.error, HasSubstr("validation: 60 of the training samples"));
}

TEST_F(WholeCommand, SavesAtTheEpochsThatItWasAskedFor) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path("r/checkpoints")))
    names.push_back(entry.path().filename());
  EXPECT_THAT(
      names, testing::UnorderedElementsAre("step_000000000016.safetensors", "step_000000000024.safetensors"));
  const auto state = load_checkpoint(path("r/checkpoints/step_000000000024.safetensors")).state;
  EXPECT_EQ(state.optimizer.steps, 24);
  EXPECT_FALSE(state.optimizer.moments[0].empty());
  EXPECT_FALSE(state.optimizer.moments[1].empty());
}

// Resumed from the checkpoint before the last: the same rows and models, including the file of --save.
TEST_F(WholeCommand, EndsTheSameFromAnEarlierCheckpoint) {
  const auto saved = read_file(path("m"));
  const auto best = read_file(path("r/best.safetensors"));
  const auto rows = rows_without_times();
  for (const char* name : {"m", "r/model.safetensors", "r/checkpoints/step_000000000024.safetensors"})
    fs::remove(path(name));
  const auto resumed = run_warpfit({"resume", path("r")});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.error;
  EXPECT_THAT(resumed.error, HasSubstr("resumed at epoch 3, batch 0"));
  EXPECT_EQ(rows_without_times(), rows);
  EXPECT_EQ(read_file(path("m")), saved);
  EXPECT_EQ(read_file(path("r/model.safetensors")), saved);
  EXPECT_EQ(read_file(path("r/best.safetensors")), best);
}

}  // namespace
}  // namespace warpfit::test
