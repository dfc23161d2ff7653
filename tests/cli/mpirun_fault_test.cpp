// Processes of a run that are killed or get signals: the others end soon, and the run can be resumed with any
// number of processes. WARPFIT_KILLS sets the number of random moments.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/files.hpp"
#include "tests/support/mpirun.hpp"
#include "tests/support/random.hpp"

namespace warpfit::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

// The processes whose command lines contain `text` and begin with the program.
std::vector<pid_t> warpfit_processes(const std::string& text) {
  std::vector<pid_t> processes;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "cmdline");
    const std::string command((std::istreambuf_iterator<char>(file)), {});
    if (command.starts_with(program_path()) && command.find(text) != std::string::npos)
      processes.push_back(std::stoi(name));
  }
  return processes;
}

class MpirunFaults : public testing::Test {
 protected:
  void SetUp() override {
    restore_signals();
    require_mpi();
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  [[nodiscard]] std::vector<std::string> train(const std::string& run, const std::string& epochs) const {
    return {program_path(),
            "train",
            "--data",
            sample_folder().string(),
            "--network",
            "784-32-10",
            "--batch-size",
            "13",
            "--lr",
            "0.01",
            "--shuffle",
            "--epochs",
            epochs,
            "--quiet",
            "--run-dir",
            path(run),
            "--checkpoint-every",
            "50",
            "--reduce",
            "ordered",
            "--momentum",
            "0.9"};
  }
  // Trains the rest of the run, and returns the final model.
  [[nodiscard]] Bytes resume(const std::string& run, int ranks) const {
    const auto outcome = mpirun(on_ranks(ranks, {program_path(), "resume", path(run), "--quiet"}));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
    return read_file(path(run + "/model.safetensors"));
  }
  // Sends the signal during training, and not to mpirun.
  [[nodiscard]] Outcome signal_to_one_of_two_ranks(int number) const {
    Program program(on_ranks(2, train("run", "100000")), kMpirun, mpirun_environment());
    EXPECT_TRUE(program.wait_for("Epoch 3\n"));
    const auto processes = warpfit_processes(path("run"));
    EXPECT_EQ(processes.size(), 2U);
    if (!processes.empty()) kill(processes.back(), number);
    return program.finish();
  }
  void expect_none_left() const {
    constexpr std::chrono::seconds kPromised{30};
    const auto start = std::chrono::steady_clock::now();
    while (!warpfit_processes(folder_.path().string()).empty() &&
           std::chrono::steady_clock::now() - start < kPromised) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_TRUE(warpfit_processes(folder_.path().string()).empty());
  }

  TemporaryFolder folder_;
};

TEST_F(MpirunFaults, LoseNothingIfARankIsKilled) {
  const char* given = std::getenv("WARPFIT_KILLS");
  const int kills = given != nullptr ? std::atoi(given) : 3;
  const std::string epochs = "60";  // about a second
  ASSERT_EQ(mpirun(on_ranks(1, train("whole", epochs))).exit_code, 0);
  const auto expected = read_file(path("whole/model.safetensors"));
  std::mt19937 random(test_seed());
  int killed = 0;
  for (int kill = 0; kill < kills; ++kill) {
    const auto run = "run" + std::to_string(kill);
    SCOPED_TRACE(run);
    Program program(on_ranks(2, train(run, epochs)), kMpirun, mpirun_environment());
    if (kill % 2 == 0) {  // otherwise perhaps while the program starts
      ASSERT_TRUE(program.wait_for("Epoch 2\n"));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 1000));
    const auto processes = warpfit_processes(path(run));
    if (!processes.empty() && ::kill(processes[random() % processes.size()], SIGKILL) == 0) ++killed;
    const auto before = program.seconds();
    const auto outcome = program.finish();
    EXPECT_LT(outcome.seconds - before, 30);
    expect_none_left();
    if (!std::filesystem::exists(path(run + "/config.toml"))) continue;  // it had not begun
    EXPECT_EQ(resume(run, std::vector{1, 2, 4}[random() % 3]), expected);
  }
  EXPECT_GT(killed, 0);
}

TEST_F(MpirunFaults, NameTheRankThatIsLost) {
  const auto outcome = signal_to_one_of_two_ranks(SIGKILL);
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_THAT(outcome.error, AnyOf(HasSubstr("rank 1 (process "), HasSubstr("rank 0 (process "),
                                   HasSubstr("on node")));  // of warpfit, or of mpirun
  expect_none_left();
}

// After SIGINT and SIGTERM, mpirun passes on SIGTERM, and SIGKILL a second later. It no longer passes on what
// its processes print, and its exit code is 1 whatever theirs are.
TEST_F(MpirunFaults, SaveOneCheckpointAtASignal) {
  require_fashion_mnist();
  for (const int number : {SIGUSR1, SIGTERM, SIGINT}) {
    const auto run = "run" + std::to_string(number);
    SCOPED_TRACE(run);
    Program program(on_ranks(2, {program_path(), "train", "--data", fashion_mnist_folder().string(),
                                 "--quiet", "--run-dir", path(run), "--checkpoint-every", "1000000000"}),
                    kMpirun, mpirun_environment());
    ASSERT_TRUE(program.wait_for("loss:"));
    program.signal(number);
    const auto outcome = program.finish();
    EXPECT_EQ(outcome.exit_code, number == SIGUSR1 ? 75 : 1) << outcome.error;
    expect_none_left();
    std::vector<std::string> checkpoints;  // a file that was not completed has another ending
    for (const auto& entry : std::filesystem::directory_iterator(path(run + "/checkpoints")))
      checkpoints.push_back(entry.path().filename().string());
    EXPECT_THAT(checkpoints, testing::ElementsAre(testing::MatchesRegex("step_[0-9]+\\.safetensors")));
    if (number != SIGUSR1) continue;
    const std::string message = "interrupted; checkpoint saved";
    const auto first = outcome.error.find(message);
    EXPECT_NE(first, std::string::npos) << outcome.error;
    EXPECT_EQ(outcome.error.find(message, first + 1), std::string::npos) << outcome.error;
  }
}

// A signal to one rank, not to mpirun, ends all of them in the same way.
TEST_F(MpirunFaults, EndTogetherIfOneRankGetsASignal) {
  const auto outcome = signal_to_one_of_two_ranks(SIGTERM);
  EXPECT_EQ(outcome.exit_code, 75) << outcome.error;
  EXPECT_THAT(outcome.error, HasSubstr("interrupted; checkpoint saved"));
}

TEST_F(MpirunFaults, GoOnWithAnyNumberOfRanks) {
  ASSERT_EQ(mpirun(on_ranks(1, train("whole", "6"))).exit_code, 0);
  ASSERT_EQ(mpirun(on_ranks(2, train("parts", "2"))).exit_code, 0);
  for (const auto& [epochs, ranks] : std::vector<std::pair<std::string, int>>{{"4", 4}, {"5", 1}, {"6", 2}}) {
    const auto outcome =
        mpirun(on_ranks(ranks, {program_path(), "resume", path("parts"), "--epochs", epochs, "--quiet"}));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  }
  EXPECT_EQ(read_file(path("parts/model.safetensors")), read_file(path("whole/model.safetensors")));
}

}  // namespace
}  // namespace warpfit::test
