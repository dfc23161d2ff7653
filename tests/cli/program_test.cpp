// The program as its user sees it, on the sample data of the repository: 300 training and 100 test images.
#include "tests/support/program.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <regex>

#include "tests/support/files.hpp"
#include "tests/support/sanitizers.hpp"

namespace warpfit::test {
namespace {

std::vector<std::string> on_sample(std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{"train", "--device", "cpu", "--data", sample_folder().string()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// The same words, and numbers within the tolerance of the reference traces: the last digit depends on the
// processor.
void expect_same_text(const std::string& actual, const std::string& expected) {
  static const std::regex kNumber("[0-9]+\\.[0-9]+");
  EXPECT_EQ(std::regex_replace(actual, kNumber, "#"), std::regex_replace(expected, kNumber, "#"));
  std::sregex_iterator ours(actual.begin(), actual.end(), kNumber);
  for (std::sregex_iterator theirs(expected.begin(), expected.end(), kNumber), end;
       theirs != end && ours != end; ++theirs, ++ours) {
    EXPECT_NEAR(std::stod(ours->str()), std::stod(theirs->str()), 5e-5);
  }
}

TEST(Program, PrintsTheTutorialsTextAndNothingElse) {
  const auto run = run_warpfit(on_sample({"--epochs", "2", "--log-every", "2"}));
  EXPECT_EQ(run.exit_code, 0) << run.error;
  const std::string epoch =
      "-------------------------------\n"
      "loss: 2\\.[0-9]{6}  \\[    0/  300\\]\n"
      "loss: 2\\.[0-9]{6}  \\[  128/  300\\]\n"
      "loss: 2\\.[0-9]{6}  \\[  256/  300\\]\n"
      "Test Error: \n Accuracy: [0-9]{1,2}\\.[0-9]%, Avg loss: 2\\.[0-9]{6} \n\n";
  EXPECT_TRUE(std::regex_match(run.out, std::regex("Epoch 1\n" + epoch + "Epoch 2\n" + epoch + "Done!\n")))
      << run.out;
}

// The reference is the same run in PyTorch: a Linear-ReLU stack after torch.manual_seed(0), on slices of 64
// samples.
TEST(Program, PrintsPyTorchsNumbersOnTheSample) {
  const auto run = run_warpfit(on_sample({"--epochs", "1", "--log-every", "2"}));
  expect_same_text(run.out,
                   "Epoch 1\n"
                   "-------------------------------\n"
                   "loss: 2.305311  [    0/  300]\n"
                   "loss: 2.298600  [  128/  300]\n"
                   "loss: 2.301329  [  256/  300]\n"
                   "Test Error: \n"
                   " Accuracy: 7.0%, Avg loss: 2.300275 \n"
                   "\n"
                   "Done!\n");
}

TEST(Program, PrintsTheSameBytesTwice) {
  const auto arguments = on_sample({"--epochs", "3", "--log-every", "1"});
  const auto first = run_warpfit(arguments);
  EXPECT_EQ(first.exit_code, 0) << first.error;
  EXPECT_EQ(run_warpfit(arguments).out, first.out);
}

TEST(Program, SeedAndShuffleChangeTheRun) {
  const auto plain = run_warpfit(on_sample({"--epochs", "1", "--log-every", "1"}));
  for (const std::vector<std::string>& more : {std::vector<std::string>{"--shuffle"}, {"--seed", "1"}}) {
    auto arguments = on_sample({"--epochs", "1", "--log-every", "1"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto changed = run_warpfit(arguments);
    EXPECT_EQ(changed.exit_code, 0) << changed.error;
    EXPECT_NE(changed.out, plain.out);
  }
}

TEST(Program, TellsTheDeviceUnlessQuiet) {
  const auto told = run_warpfit({"train", "--data", sample_folder().string(), "--epochs", "1"});
  EXPECT_NE(told.error.find("device: CPU ("), std::string::npos) << told.error;
  EXPECT_NE(told.error.find("epoch 1: train "), std::string::npos) << told.error;
  EXPECT_EQ(run_warpfit(on_sample({"--epochs", "1", "--quiet"})).error, "");
}

TEST(Program, TakesABatchLargerThanTheData) {
  const auto run = run_warpfit(on_sample({"--epochs", "1", "--batch-size", "100000"}));
  EXPECT_EQ(run.exit_code, 0) << run.error;
  EXPECT_NE(run.out.find("[    0/  300]"), std::string::npos) << run.out;
}

TEST(Program, TrainsOnSamplesOfAnyRankAndClasses) {
  const TemporaryFolder folder;
  const Bytes pixels{0, 10, 20, 200, 210, 220, 5, 15, 25, 205, 215, 225};
  for (const auto& dimensions : {std::vector<std::uint32_t>{4, 3}, {4, 1, 3}, {4, 3, 1, 1}}) {
    const auto images = folder.add("images", idx(dimensions, pixels));
    const auto labels = folder.add("labels", idx({4}, {0, 249, 0, 249}));
    const auto run = run_warpfit({"train", "--device", "cpu", "--train-images", images, "--train-labels",
                                  labels, "--test-images", images, "--test-labels", labels, "--epochs", "1"});
    EXPECT_EQ(run.exit_code, 0) << run.error;
    EXPECT_NE(run.error.find("-512-512-250"), std::string::npos) << run.error;
  }
}

TEST(Program, StopsWhereTheLossDiverges) {
  const auto run = run_warpfit(on_sample({"--lr", "1e30", "--log-every", "1"}));
  EXPECT_EQ(run.exit_code, 8);
  EXPECT_NE(run.error.find("epoch 1, batch 1: the loss is not a finite number; try a lower --lr"),
            std::string::npos)
      << run.error;
  EXPECT_EQ(run.out.find("nan"), std::string::npos) << run.out;
}

TEST(Program, EndsWithTheDocumentedCodeOnMisuse) {
  const std::vector<std::pair<std::vector<std::string>, int>> cases{
      {{"--help"}, 0},
      {{"--version"}, 0},
      {{"train", "--help"}, 0},
      {{}, 2},
      {{"train"}, 2},
      {on_sample({"--batch-size", "0"}), 2},
      {on_sample({"--lr", "nan"}), 2},
      {on_sample({"--epochs", "-1"}), 2},
      {on_sample({"--network", "784--10"}), 2},
      {on_sample({"--network", "783-10"}), 2},
      {on_sample({"--network", "784-9"}), 3},
      {{"train", "--data", sample_folder().string(), "--device", "tpu"}, 2},
      {{"train", "--data", sample_folder().string(), "--device", "cuda:99"}, 6},
      {on_sample({"--network", "784-16777216-16777216-10"}), 2},
      {on_sample({"--device-memory-limit", "64MB"}), 2},
      {on_sample({"--freeze", "1.weight"}), 2},
      {on_sample({"--freeze", "*"}), 2},
  };
  for (const auto& [arguments, code] : cases) {
    const auto run = run_warpfit(arguments);
    EXPECT_EQ(run.exit_code, code) << testing::PrintToString(arguments) << run.error;
    if (code != 0) {
      EXPECT_EQ(run.out, "");
      EXPECT_EQ(std::count(run.error.begin(), run.error.end(), '\n'), 1) << run.error;
    }
  }
}

// The exit code of a shell command, in which WARPFIT is replaced by the path of the program.
int shell(std::string command) {
  const std::string name = "WARPFIT";
  command.replace(command.find(name), name.size(), program_path());
  return WEXITSTATUS(std::system(command.c_str()));
}

// oneDNN omitted half of its results when OpenMP started fewer threads than requested.
TEST(Program, TrainsRightWhereOpenMpLimitsTheThreads) {
  const TemporaryFolder folder;
  const auto command =
      "WARPFIT train --quiet --device cpu --epochs 1 --threads 2 --data " + sample_folder().string();
  ASSERT_EQ(shell("OMP_THREAD_LIMIT=1 " + command + " >" + (folder.path() / "limited").string()), 0);
  const auto limited = read_file(folder.path() / "limited");
  EXPECT_EQ(std::string(limited.begin(), limited.end()),
            run_warpfit(on_sample({"--epochs", "1", "--threads", "1"})).out);
}

TEST(Program, SaysWhenMemoryRunsOut) {
  if (kSanitized)
    GTEST_SKIP() << "sanitizers reserve terabytes and end the program where an allocation fails";
  const std::string few_kilobytes = "ulimit -v 1500000; exec ";
  const auto train = "WARPFIT train --quiet --device cpu --epochs 1 --data " + sample_folder().string();
  EXPECT_EQ(shell(few_kilobytes + train + " >/dev/null"), 0);
  EXPECT_EQ(shell(few_kilobytes + train + " --network 784-200000-2000-10 >/dev/null 2>&1"), 7);
}

TEST(Program, SaysWhenTheDataIsMoreThanItsLimit) {
  const auto run = run_warpfit(on_sample({"--device-memory-limit", "300K", "--residency", "resident"}));
  EXPECT_EQ(run.exit_code, 7);
  EXPECT_NE(run.error.find("--device-memory-limit 307200: expected at least 316000 bytes, for all data sets"),
            std::string::npos)
      << run.error;
}

TEST(Program, FailsWhereStandardOutputCannotBeWritten) {
  EXPECT_EQ(shell("WARPFIT --version >/dev/full 2>&1"), 5);
}

// The maximum file size allows all of the output except the last line, so training is complete when the write
// fails.
TEST(Program, FailsWhereItsLastLineCannotBeWritten) {
  const TemporaryFolder folder;
  const auto out = (folder.path() / "out").string();
  const auto train = "WARPFIT train --data '" + sample_folder().string() +
                     "' --network 784-10 --epochs 1 --device cpu --threads 1 --quiet >'" + out +
                     "' 2>/dev/null";
  ASSERT_EQ(shell(train), 0);
  const auto size = std::filesystem::file_size(out);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit lower{.rlim_cur = size - 1, .rlim_max = before.rlim_max};
  const auto handler = signal(SIGXFSZ, SIG_IGN);  // inherited by the program
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &lower), 0);
  EXPECT_EQ(shell(train), 5);
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, handler);
  EXPECT_EQ(std::filesystem::file_size(out), size - 1);
}

}  // namespace
}  // namespace warpfit::test
