// The options of a run, as `resume` restores them: paths, wherever both commands are started, and names.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "host/cli/commands.hpp"
#include "host/cli/config.hpp"
#include "host/files/safetensors_file.hpp"
#include "tests/support/program.hpp"
#include "tests/support/saved_model.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;

const Bytes kFourImages = idx({4, 3}, {0, 0, 9, 0, 9, 0, 9, 0, 0, 9, 9, 9});
const Bytes kFourLabels = idx({4}, {2, 1, 0, 0});

class RunOptions : public testing::Test {
 protected:
  RunOptions() {
    for (const char* name : {"train-images-idx3-ubyte", "t10k-images-idx3-ubyte", "a", "c"})
      folder_.add(name, kFourImages);
    for (const char* name : {"train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte", "b", "d"})
      folder_.add(name, kFourLabels);
  }

  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  // The exit code of a shell command run in the folder, in which WARPFIT is replaced by the path of the
  // program. Its standard error is stored in error_.
  int shell(const std::string& command) {
    const auto errors = path("errors");
    const auto line = fmt::format("WARPFIT='{}'; cd '{}' && {{ {}; }} >/dev/null 2>'{}'", program_path(),
                                  folder_.path().string(), command, errors);
    const int status = std::system(line.c_str());
    const auto bytes = read_file(errors);
    error_.assign(bytes.begin(), bytes.end());
    return WEXITSTATUS(status);
  }

  TemporaryFolder folder_;
  std::string error_;
  const std::string train_ = "$WARPFIT train --device cpu --threads 1 --epochs 1 --network 3-3 ";
};

// Each option that names a file or folder, relative to the folder in which the run was started.
TEST_F(RunOptions, NameTheSameFilesFromAnotherFolder) {
  add_model(folder_, "first", brightest_pixel());
  ASSERT_EQ(shell(train_ +
                  "--train-images a --train-labels ./b --test-images ../$(basename $PWD)/c --test-labels d "
                  "--init-from first --save last --run-dir run"),
            0)
      << error_;
  TrainCommand kept;
  apply_config_file(path("run/config.toml"), options_of(kept));
  for (const auto& [file, name] : {std::pair{kept.run.data.files.train_images, "a"},
                                   {kept.run.data.files.train_labels, "b"},
                                   {kept.run.data.files.test_images, "c"},
                                   {kept.run.data.files.test_labels, "d"},
                                   {kept.run.init_from, "first"},
                                   {kept.run.model, "last"}}) {
    EXPECT_TRUE(std::filesystem::path(file).is_absolute()) << file;
    EXPECT_TRUE(std::filesystem::equivalent(file, path(name))) << file;
  }
  // Without a checkpoint the run starts from the beginning and needs all of the files.
  const auto saved = read_file(path("last"));
  std::filesystem::remove_all(path("run/checkpoints"));
  std::filesystem::remove(path("last"));
  ASSERT_EQ(shell("cd / && $WARPFIT resume " + path("run")), 0) << error_;
  EXPECT_THAT(error_, HasSubstr("2 of 2 tensors loaded"));
  EXPECT_EQ(read_file(path("last")), saved);
}

TEST_F(RunOptions, NameTheSameDataFolderFromAnotherFolder) {
  ASSERT_EQ(shell(train_ + "--data . --run-dir run"), 0) << error_;
  EXPECT_EQ(shell("cd / && $WARPFIT resume " + path("run")), 0) << error_;
}

TEST_F(RunOptions, MayBePathsOfAnyBytes) {
  const std::string name = "x\xff\"\\\n%41";
  std::filesystem::create_directory(path(name));
  for (const auto& set : {"train-images-idx3-ubyte", "t10k-images-idx3-ubyte"})
    write_file(path(name) + "/" + set, kFourImages);
  for (const auto& set : {"train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte"})
    write_file(path(name) + "/" + set, kFourLabels);
  const auto saved = path(name) + "/saved\xfe";
  const auto run = run_warpfit({"train", "--device", "cpu", "--epochs", "1", "--network", "3-3", "--data",
                                path(name), "--save", saved, "--run-dir", path("run")});
  ASSERT_EQ(run.exit_code, 0) << run.error;
  std::filesystem::remove(saved);
  const auto resumed = run_warpfit({"resume", path("run")});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.error;
  EXPECT_EQ(read_file(saved), read_file(path("run/model.safetensors")));
}

// The working folder was removed after the shell had entered it.
TEST_F(RunOptions, AreRefusedWithoutAWorkingFolder) {
  for (const std::string options : {"--data . --run-dir run", "--data DATA --init-from m --run-dir DATA/run",
                                    "--data DATA --save m --run-dir DATA/run2", "--data DATA --run-dir run",
                                    "--data DATA --train-images m", "--data DATA --init-from m",
                                    "--data DATA --save m", "--data DATA --config m"}) {
    auto command = train_ + options;
    while (command.find("DATA") != command.npos)
      command.replace(command.find("DATA"), 4, folder_.path().string());
    EXPECT_EQ(shell("mkdir gone; cd gone; rmdir ../gone; " + command), 5) << options << ": " << error_;
    EXPECT_THAT(error_,
                testing::AnyOf(HasSubstr(": No such file or directory"), HasSubstr(".: no train-images")));
  }
}

TEST_F(RunOptions, RefuseAModelThatIsNotFinite) {
  const auto model = add_model(folder_, "infinite", with_infinite_bias(brightest_pixel()));
  const auto run = run_warpfit({"train", "--device", "cpu", "--data", folder_.path().string(), "--network",
                                "3-3", "--init-from", model});
  EXPECT_EQ(run.exit_code, 4) << run.error;
  EXPECT_THAT(run.error, HasSubstr(model + ": element 1 of tensor linear_relu_stack.0.bias is inf"));
  EXPECT_EQ(run.out, "");
}

TEST_F(RunOptions, TellOfSomeOfManyTensorsThatDoNotMatch) {
  Model deep{{.network = multilayer_perceptron(std::vector<std::int64_t>(101, 3)), .sample_shape = {3}}, {}};
  deep.parameters.resize(plan_of(deep.info).floats);
  const auto model = add_model(folder_, "deep", deep);
  ASSERT_EQ(shell(train_ + "--data . --init-from deep"), 0) << error_;
  EXPECT_THAT(error_, HasSubstr("2 of 2 tensors loaded"));
  EXPECT_THAT(error_, HasSubstr("not used: 178 more tensors\n"));
  EXPECT_LT(std::ranges::count(error_, '\n'), 40);
}

TEST_F(RunOptions, KeepAnEmptyName) {
  ASSERT_EQ(shell(train_ + "--data . --run-dir run --names ''"), 0) << error_;
  std::filesystem::remove_all(path("run/checkpoints"));
  ASSERT_EQ(shell("$WARPFIT resume run"), 0) << error_;
  EXPECT_NE(SafetensorsFile(path("run/model.safetensors")).find("0.weight"), nullptr);
}

TEST_F(RunOptions, RefuseNamesThatNoFileCouldHold) {
  for (const auto* names : {"\xff", "a\xc3", "a\nb", "\x7f", "a..b", ".a", "a.", ".", "../up", "/a", "a\\b",
                            "optimizer", "optimizer.0"}) {
    for (const bool is_kept : {false, true}) {
      std::vector<std::string> arguments{"train",   "--device", "cpu", "--data", folder_.path().string(),
                                         "--names", names};
      if (is_kept) arguments.insert(arguments.end(), {"--run-dir", path("run")});
      const auto run = run_warpfit(arguments);
      EXPECT_EQ(run.exit_code, 2) << testing::PrintToString(names) << run.error;
      EXPECT_THAT(run.error, HasSubstr(": expected an attribute of PyTorch's module"));
      EXPECT_EQ(run.out, "");
      EXPECT_FALSE(std::filesystem::exists(path("run")));
    }
  }
}

TEST_F(RunOptions, TakeOtherNames) {
  for (const std::string names : {"net.layers", "my-layers", "\xc3\xa4", "a b", "optimizers", "0"}) {
    std::filesystem::remove_all(path("run"));
    ASSERT_EQ(shell(train_ + "--data . --optimizer adam --run-dir run --names '" + names + "'"), 0) << error_;
    ASSERT_EQ(shell("$WARPFIT resume run"), 0) << error_;
    EXPECT_NE(SafetensorsFile(path("run/model.safetensors")).find(names + ".0.weight"), nullptr) << names;
  }
}

}  // namespace
}  // namespace warpfit::test
