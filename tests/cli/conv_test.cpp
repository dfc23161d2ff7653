// Convolutional networks with residual blocks in every command.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "host/files/safetensors_file.hpp"
#include "host/files/safetensors_writer.hpp"
#include "host/model/model_file.hpp"
#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;

const std::string kNetwork =
    "conv(4,3,stride=2,padding=1),batchnorm,relu,residual(conv(4,3,padding=1,groups=2),batchnorm,relu,conv(4,"
    "1)),"
    "relu,maxpool(2),linear(10)";

class ConvProgram : public testing::Test {
 protected:
  [[nodiscard]] std::vector<std::string> arguments(const std::string& folder,
                                                   const std::string& epochs) const {
    return {"train",      "--data",    sample_folder().string(),
            "--device",   "cpu",       "--epochs",
            epochs,       "--lr",      "0.1",
            "--momentum", "0.9",       "--batch-size",
            "32",         "--network", kNetwork,
            "--run-dir",  path(folder)};
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  TemporaryFolder folder_;
};

TEST_F(ConvProgram, GoesOnAsIfItHadNotStopped) {
  ASSERT_EQ(run_warpfit(arguments("whole", "4")).exit_code, 0);
  ASSERT_EQ(run_warpfit(arguments("part", "2")).exit_code, 0);
  const auto resumed = run_warpfit({"resume", path("part"), "--epochs", "4"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.error;
  for (const char* name : {"/model.safetensors", "/best.safetensors"})
    EXPECT_EQ(read_file(path("whole") + name), read_file(path("part") + name)) << name;
}

// The filters of a resumed run are those of its checkpoint, although the data would give others.
TEST_F(ConvProgram, WhitensTheFirstLayerOnce) {
  const auto whitened = [&](const std::string& epochs, const std::string& folder) {
    return run_warpfit({"train", "--data", sample_folder().string(), "--device", "cpu", "--epochs", epochs,
                        "--network", "conv(8,2,stride=3,init=whiten),relu,conv(8,3,init=dirac),linear(10)",
                        "--freeze", "0.weight", "--run-dir", path(folder)});
  };
  ASSERT_EQ(whitened("2", "whole").exit_code, 0);
  const auto part = whitened("1", "part");
  ASSERT_EQ(part.exit_code, 0) << part.error;
  EXPECT_THAT(part.error, HasSubstr("32 of them frozen"));
  const auto resumed = run_warpfit({"resume", path("part"), "--epochs", "2"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.error;
  const auto model = path("part") + "/model.safetensors";
  EXPECT_EQ(read_file(path("whole") + "/model.safetensors"), read_file(model));
  EXPECT_EQ(run_warpfit({"eval", model, "--data", sample_folder().string(), "--device", "cpu"}).exit_code, 0);
  const SafetensorsFile file(model);
  std::vector<float> values(32);
  file.read(*file.find("0.weight"), std::as_writable_bytes(std::span(values)));
  for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(values[i], -values[16 + i]);
}

TEST_F(ConvProgram, IsSavedEvaluatedAndShown) {
  const auto trained = run_warpfit(arguments("run", "2"));
  ASSERT_EQ(trained.exit_code, 0) << trained.error;
  const auto model = path("run") + "/model.safetensors";
  const SafetensorsFile file(model);
  EXPECT_EQ(file.find("0.weight")->shape, (std::vector<std::int64_t>{4, 1, 3, 3}));
  EXPECT_EQ(file.find("3.0.weight")->shape, (std::vector<std::int64_t>{4, 2, 3, 3}));
  EXPECT_NE(file.find("3.1.num_batches_tracked"), nullptr);
  EXPECT_EQ(file.find("7.weight")->shape, (std::vector<std::int64_t>{10, 196}));
  const auto found = nlohmann::json::parse(
      output_of({"eval", model, "--data", sample_folder().string(), "--device", "cpu", "--quiet", "--json"}));
  const std::string text = "Test Error: \n Accuracy: ";
  const auto at = trained.out.rfind(text) + text.size();
  EXPECT_NEAR(std::stod(trained.out.substr(at)), 100 * found["accuracy"].get<double>(), 0.06);
  const auto shown = output_of({"inspect", model});
  EXPECT_THAT(shown, HasSubstr("conv(4,3,stride=2,padding=1)"));
  EXPECT_THAT(shown, HasSubstr("residual("));
}

// A network with another head: the tensors of the other layers are loaded.
TEST_F(ConvProgram, BeginsWithPartOfAnotherModel) {
  ASSERT_EQ(run_warpfit(arguments("run", "1")).exit_code, 0);
  auto next = arguments("next", "1");
  *std::ranges::find(next, kNetwork) =
      kNetwork.substr(0, kNetwork.rfind("linear")) + "linear(12),relu,linear(10)";
  next.insert(next.end(), {"--init-from", path("run") + "/model.safetensors"});
  const auto outcome = run_warpfit(next);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_THAT(outcome.error, HasSubstr("16 of 20 tensors loaded"));
}

// As torchvision's LeNet: modules with names of their own, without warpfit's description of the network.
TEST_F(ConvProgram, EvaluatesAStateDictWhoseLayersAreNamed) {
  auto asked = arguments("run", "1");
  const std::string network = "conv(6,5,padding=2),relu,maxpool(2),conv(16,5),relu,maxpool(2),linear(10)";
  *std::ranges::find(asked, kNetwork) = network;
  ASSERT_EQ(run_warpfit(asked).exit_code, 0);
  const auto own = path("run") + "/model.safetensors";
  const auto model = load_model(own);
  auto tensors = parameter_tensors(model.info, model.parameters);
  const std::vector<std::string> names{"conv1.weight", "conv1.bias", "conv2.weight",
                                       "conv2.bias",   "fc.weight",  "fc.bias"};
  for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].name = names.at(i);
  write_safetensors(path("lenet"), Metadata{}, tensors);
  const auto evaluated = [&](const std::string& file, std::vector<std::string> more) {
    std::vector<std::string> command{"eval",     file,  "--data", sample_folder().string(),
                                     "--device", "cpu", "--quiet"};
    command.insert(command.end(), more.begin(), more.end());
    return output_of(command);
  };
  EXPECT_EQ(evaluated(path("lenet"), {"--network", network}), evaluated(own, {}));
  const auto images = (sample_folder() / "t10k-images-idx3-ubyte.gz").string();
  EXPECT_EQ(output_of({"predict", path("lenet"), images, "--network", network, "--device", "cpu", "--quiet"}),
            output_of({"predict", own, images, "--device", "cpu", "--quiet"}));
  const auto refused = run_warpfit({"eval", path("lenet"), "--data", sample_folder().string()});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.error, HasSubstr("eval and predict read other layers if --network names them"));
}

// The losses of the CPU, to the last but one digit that is printed.
TEST_F(ConvProgram, TrainsOnAnEmulatedGpu) {
  auto asked = arguments("cpu", "1");
  asked.insert(asked.end(), {"--log-every", "1"});
  const auto on_cpu = run_warpfit(asked);
  ASSERT_EQ(on_cpu.exit_code, 0) << on_cpu.error;
  *std::ranges::find(asked, "cpu") = "cuda";
  asked.back() = "1";
  *std::ranges::find(asked, path("cpu")) = path("cuda");
  const auto on_gpu =
      Program(asked, "warpfit_emulated", {"WARPFIT_EMULATION=order=random,streams=lazy"}).finish();
  ASSERT_EQ(on_gpu.exit_code, 0) << on_gpu.error;
  EXPECT_THAT(on_gpu.error, HasSubstr("Emulated CUDA device"));
  const auto losses = [](const std::string& out) {
    std::vector<double> values;
    std::istringstream lines(out);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("loss: ")) values.push_back(std::stod(line.substr(6)));
    }
    return values;
  };
  const auto ours = losses(on_gpu.out);
  ASSERT_EQ(ours.size(), 10U);
  EXPECT_THAT(ours, testing::Pointwise(testing::DoubleNear(2e-5), losses(on_cpu.out)));
}

}  // namespace
}  // namespace warpfit::test
