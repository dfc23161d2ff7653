// --network with a list of layers: training, and every command that reads the model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "host/model/model_file.hpp"
#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;

class NetworkOption : public testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  // Trains one epoch on the sample data, saves the model under `name`, and returns the output of the program.
  Outcome train(const std::string& network, const std::string& name, std::vector<std::string> more = {}) {
    std::vector<std::string> command{"train",    "--data",   sample_folder().string(),
                                     "--device", "cpu",      "--threads",
                                     "1",        "--epochs", "2",
                                     "--lr",     "0.1",      "--network",
                                     network,    "--save",   path(name)};
    command.insert(command.end(), more.begin(), more.end());
    return run_warpfit(command);
  }

  TemporaryFolder folder_;
};

TEST_F(NetworkOption, AsWidthsOrAsLayersIsTheSameNetwork) {
  const auto widths = train("784-16-12-10", "widths");
  const auto layers = train("linear(16),relu,linear(12),relu,linear(10)", "layers");
  ASSERT_EQ(layers.exit_code, 0) << layers.error;
  EXPECT_EQ(layers.out, widths.out);
  EXPECT_THAT(layers.error, HasSubstr("network: linear(16),relu,linear(12),relu,linear(10), 12"));
  const auto a = load_model(path("widths"));
  const auto b = load_model(path("layers"));
  EXPECT_EQ(a.parameters, b.parameters);
  EXPECT_THAT(parameter_names(a.info), testing::Contains("linear_relu_stack.4.bias"));
  EXPECT_THAT(parameter_names(b.info), testing::Contains("4.bias"));
  EXPECT_EQ(b.info.network.text(), "linear(16),relu,linear(12),relu,linear(10)");
}

TEST_F(NetworkOption, DropoutLayersAreThoseOfDropout) {
  const auto flag = train("784-16-10", "flag", {"--dropout", "0.25"});
  const auto layer = train("linear(16),relu,dropout(0.25),linear(10)", "layer");
  ASSERT_EQ(layer.exit_code, 0) << layer.error;
  EXPECT_EQ(layer.out, flag.out);
  EXPECT_EQ(load_model(path("layer")).parameters, load_model(path("flag")).parameters);
  EXPECT_THAT(parameter_names(load_model(path("flag")).info),
              testing::Contains("linear_relu_stack.3.weight"));
  EXPECT_THAT(parameter_names(load_model(path("layer")).info), testing::Contains("3.weight"));
}

// ReLU and dropout in unusual positions, and a layer without a bias.
TEST_F(NetworkOption, IsReadByEveryCommand) {
  const std::string network = "flatten,relu,linear(16,bias=false),dropout(0.1),relu,linear(10)";
  const auto trained = train(network, "model", {"--run-dir", path("run"), "--optimizer", "adam"});
  ASSERT_EQ(trained.exit_code, 0) << trained.error;
  EXPECT_THAT(parameter_names(load_model(path("model")).info),
              testing::ElementsAre("2.weight", "5.weight", "5.bias"));
  const auto saved = read_file(path("run/model.safetensors"));
  std::filesystem::remove_all(path("run/model.safetensors"));
  for (const auto& checkpoint : std::filesystem::directory_iterator(path("run/checkpoints"))) {
    if (checkpoint.path().string().ends_with("16.safetensors")) std::filesystem::remove(checkpoint.path());
  }
  const auto resumed = run_warpfit({"resume", path("run")});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.error;
  EXPECT_EQ(read_file(path("run/model.safetensors")), saved);

  const auto data = sample_folder().string();
  const auto tested = run_warpfit({"eval", path("model"), "--data", data, "--device", "cpu"});
  EXPECT_EQ(tested.exit_code, 0) << tested.error;
  EXPECT_EQ(run_warpfit({"inspect", path("model")}).exit_code, 0);
  const auto measured = run_warpfit(
      {"bench", "--data", data, "--device", "cpu", "--network", network, "--steps", "2", "--repeats", "1"});
  EXPECT_EQ(measured.exit_code, 0) << measured.error;
  const auto exported = run_warpfit({"export", path("model"), "--to", "onnx", "--output", path("onnx")});
  ASSERT_EQ(exported.exit_code, 0) << exported.error;
  const auto operators = run_warpfit({"inspect", path("onnx")});
  EXPECT_THAT(operators.out, HasSubstr("Flatten, Relu, Gemm, Relu, Gemm"));
}

TEST_F(NetworkOption, IsRefusedBeforeAnythingElse) {
  const std::vector<std::tuple<std::string, std::vector<std::string>, std::string>> cases{
      {"linear(16),tanhh,linear(10)",
       {},
       "--network linear(16),tanhh,linear(10): layer 2, 'tanhh': unknown layer"},
      {"relu,maxpool(29)",
       {},
       "network relu,maxpool(29): layer 2, maxpool(29): its input is 1x28x28, smaller than a window of 29 x "
       "29"},
      {"linear(1)", {}, "its output is 1, expected a vector of at least 2 values"},
      {"linear(9)", {}, "expected labels below 9"},
      {"linear(4),relu,dropout,linear(10)",
       {"--dropout", "0.1"},
       "--dropout: the network has dropout layers of its own"},
  };
  for (const auto& [network, more, message] : cases) {
    const auto run = train(network, "model", more);
    EXPECT_EQ(run.exit_code, network == "linear(9)" ? 3 : 2) << network;
    EXPECT_THAT(run.error, HasSubstr(message));
    EXPECT_FALSE(std::filesystem::exists(path("model")));
  }
}

}  // namespace
}  // namespace warpfit::test
