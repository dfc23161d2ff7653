// Networks with batch normalization, whose running statistics belong to models and checkpoints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "host/base/error.hpp"
#include "host/files/safetensors_file.hpp"
#include "host/files/safetensors_writer.hpp"
#include "host/model/model_file.hpp"
#include "host/model/stored_values.hpp"
#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;

class BatchNormProgram : public testing::Test {
 protected:
  // 300 samples are ten batches an epoch.
  [[nodiscard]] std::vector<std::string> arguments(const std::string& folder,
                                                   const std::string& epochs) const {
    return {"train",     "--data",    sample_folder().string(),
            "--device",  "cpu",       "--threads",
            "1",         "--epochs",  epochs,
            "--lr",      "0.1",       "--batch-size",
            "30",        "--network", "linear(16),batchnorm,relu,linear(10)",
            "--names",   "net",       "--run-dir",
            path(folder)};
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  TemporaryFolder folder_;
};

TEST_F(BatchNormProgram, GoesOnAsIfItHadNotStopped) {
  ASSERT_EQ(run_warpfit(arguments("whole", "4")).exit_code, 0);
  ASSERT_EQ(run_warpfit(arguments("part", "2")).exit_code, 0);
  const auto resumed = run_warpfit({"resume", path("part"), "--epochs", "4"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.error;
  for (const char* name : {"/model.safetensors", "/best.safetensors"})
    EXPECT_EQ(read_file(path("whole") + name), read_file(path("part") + name)) << name;
}

// The names and types of PyTorch's state_dict.
TEST_F(BatchNormProgram, SavesItsRunningStatistics) {
  ASSERT_EQ(run_warpfit(arguments("run", "2")).exit_code, 0);
  const SafetensorsFile file(path("run") + "/model.safetensors");
  std::vector<std::string> names;
  for (const auto& tensor : file.tensors()) names.push_back(tensor.name);
  EXPECT_THAT(names, testing::UnorderedElementsAre(
                         "net.0.weight", "net.0.bias", "net.1.weight", "net.1.bias", "net.1.running_mean",
                         "net.1.running_var", "net.1.num_batches_tracked", "net.3.weight", "net.3.bias"));
  EXPECT_EQ(file.find("net.1.num_batches_tracked")->dtype, DType::kI64);
  EXPECT_TRUE(file.find("net.1.num_batches_tracked")->shape.empty());
  const auto model = load_model(file);
  const auto plan = plan_of(model.info);
  EXPECT_EQ(counter_value(plan.state[2].in(std::span(model.state))[0]), 20);
  EXPECT_NE(plan.state[0].in(std::span(model.state))[0], 0);
}

TEST_F(BatchNormProgram, IsEvaluatedAsInTraining) {
  const auto trained = run_warpfit(arguments("run", "2"));
  const auto model = path("run") + "/model.safetensors";
  const auto found =
      nlohmann::json::parse(output_of({"eval", model, "--data", sample_folder().string(), "--device", "cpu",
                                       "--batch-size", "30", "--quiet", "--json"}));
  const std::string text = "Test Error: \n Accuracy: ";
  const auto at = trained.out.rfind(text) + text.size();
  EXPECT_NEAR(std::stod(trained.out.substr(at)), 100 * found["accuracy"].get<double>(), 0.06);
  // The scores of a sample do not depend on the samples next to it.
  const std::string images = sample_folder() / "t10k-images-idx3-ubyte.gz";
  EXPECT_EQ(output_of({"predict", model, images, "--device", "cpu", "--quiet", "--batch-size", "1"}),
            output_of({"predict", model, images, "--device", "cpu", "--quiet", "--batch-size", "100"}));
}

TEST_F(BatchNormProgram, BeginsWithTheStatisticsOfAnotherModel) {
  ASSERT_EQ(run_warpfit(arguments("run", "1")).exit_code, 0);
  auto next = arguments("next", "1");
  next.insert(next.end(), {"--init-from", path("run") + "/model.safetensors"});
  const auto outcome = run_warpfit(next);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_THAT(outcome.error, HasSubstr("9 of 9 tensors loaded"));
  const auto model = load_model(path("next") + "/model.safetensors");
  EXPECT_EQ(counter_value(plan_of(model.info).state[2].in(std::span(model.state))[0]), 20);
}

TEST_F(BatchNormProgram, IsExported) {
  ASSERT_EQ(run_warpfit(arguments("run", "1")).exit_code, 0);
  const auto model = path("run") + "/model.safetensors";
  for (const std::string format : {"safetensors", "npz", "onnx"})
    output_of({"export", model, "--to", format, "--output", path("copy." + format), "--quiet"});
  EXPECT_EQ(load_model(path("copy.safetensors")).state, load_model(model).state);
  EXPECT_THAT(output_of({"inspect", path("copy.onnx")}), HasSubstr("BatchNormalization"));
  const auto npz = read_file(path("copy.npz"));
  EXPECT_NE(std::string(npz.begin(), npz.end()).find("net.1.running_var.npy"), std::string::npos);
}

// The loss stays finite, because each layer is normalized.
TEST_F(BatchNormProgram, EndsIfAStatisticOverflows) {
  auto asked = arguments("run", "5");
  *std::ranges::find(asked, "0.1") = "1e17";
  *std::ranges::find(asked, "linear(16),batchnorm,relu,linear(10)") =
      "linear(16,bias=false),batchnorm,relu,linear(10),batchnorm";
  const auto outcome = run_warpfit(asked);
  EXPECT_EQ(outcome.exit_code, 8) << outcome.error;
  EXPECT_THAT(outcome.error, HasSubstr("a running statistic is not a finite number"));
  EXPECT_FALSE(std::filesystem::exists(path("run") + "/model.safetensors"));
}

TEST_F(BatchNormProgram, ReadsCountsAndVariancesOfOtherPrograms) {
  ASSERT_EQ(run_warpfit(arguments("run", "1")).exit_code, 0);
  const auto whole = load_model(path("run") + "/model.safetensors");
  const auto plan = plan_of(whole.info);
  const auto written = [&](std::int64_t count, float variance) {
    auto state = whole.state;
    plan.state[1].in(std::span(state))[3] = variance;
    auto tensors = parameter_tensors(whole.info, whole.parameters);
    const auto more = state_tensors(whole.info, state);
    tensors.insert(tensors.end(), more.tensors.begin(), more.tensors.end());
    tensors.back().data = std::as_bytes(std::span(&count, 1));
    write_safetensors(path("model"), metadata_of(whole.info), tensors);
    return path("model");
  };
  const auto large = load_model(written(std::int64_t{1} << 40, 1));
  EXPECT_EQ(counter_value(plan.state[2].in(std::span(large.state))[0]), 1 << 30);
  EXPECT_THAT([&] { load_model(written(-1, 1)); },
              testing::ThrowsMessage<ModelError>(HasSubstr("net.1.num_batches_tracked is -1")));
  EXPECT_THAT([&] { load_model(written(1, -1)); },
              testing::ThrowsMessage<ModelError>(HasSubstr("net.1.running_var has a negative variance")));
  // Counting stops there.
  auto next = arguments("next", "1");
  next.insert(next.end(), {"--init-from", written(std::int64_t{1} << 30, 1)});
  ASSERT_EQ(run_warpfit(next).exit_code, 0);
  const SafetensorsFile counted(path("next") + "/model.safetensors");
  std::int64_t count = 0;
  counted.read(*counted.find("net.1.num_batches_tracked"), std::as_writable_bytes(std::span(&count, 1)));
  EXPECT_EQ(count, 1 << 30);
}

TEST_F(BatchNormProgram, KnowsTheShapeOfImages) {
  auto asked = arguments("run", "1");
  *std::ranges::find(asked, "linear(16),batchnorm,relu,linear(10)") = "batchnorm,maxpool(2),linear(10)";
  ASSERT_EQ(run_warpfit(asked).exit_code, 0);
  const auto model = path("run") + "/model.safetensors";
  const auto wide = run_warpfit({"predict", model, folder_.add("wide", idx({2, 14, 56}, Bytes(1568)))});
  EXPECT_EQ(wide.exit_code, 2);
  EXPECT_THAT(wide.error, HasSubstr("was trained on images of 1x28x28, but the samples of " + path("wide") +
                                    " are 1x14x56"));
  output_of({"export", model, "--to", "onnx", "--output", path("x"), "--quiet"});
  EXPECT_THAT(output_of({"inspect", path("x")}),
              HasSubstr("Reshape, BatchNormalization, MaxPool, Flatten, Gemm"));
}

TEST_F(BatchNormProgram, NeedsParametersToTrain) {
  auto asked = arguments("run", "1");
  *std::ranges::find(asked, "linear(16),batchnorm,relu,linear(10)") = "flatten,relu";
  const auto outcome = run_warpfit(asked);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.error, HasSubstr("--network flatten,relu: it has no layer with parameters to train"));
}

TEST_F(BatchNormProgram, RefusesBatchesOfOneSample) {
  auto asked = arguments("run", "1");
  *std::ranges::find(asked, "30") = "23";  // 13 batches and one sample
  const auto outcome = run_warpfit(asked);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.error,
              HasSubstr("--batch-size 23: the last batch of 300 samples has one sample, but batch "
                        "normalization of vectors needs two or more in training"));
  EXPECT_FALSE(std::filesystem::exists(path("run")));
  EXPECT_THAT(run_warpfit({"bench", "--data", sample_folder().string(), "--device", "cpu", "--network",
                           "linear(16),batchnorm,linear(10)", "--batch-size", "1", "--steps", "1"})
                  .error,
              HasSubstr("--batch-size 1: each batch has one sample"));
}

}  // namespace
}  // namespace warpfit::test
