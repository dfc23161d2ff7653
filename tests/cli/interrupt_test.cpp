// Signals, and a standard output that is no longer read: the run ends soon and saves a checkpoint to resume
// from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "tests/support/files.hpp"
#include "tests/support/program.hpp"
#include "tests/support/sanitizers.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;

// Programs that are started during its lifetime ignore the signal, as under nohup.
class Ignored {
 public:
  explicit Ignored(int number) : number_(number), previous_(signal(number, SIG_IGN)) {}
  ~Ignored() { signal(number_, previous_); }
  Ignored(const Ignored&) = delete;
  Ignored& operator=(const Ignored&) = delete;

 private:
  int number_;
  sighandler_t previous_;
};

class InterruptProgram : public testing::Test {
 protected:
  void SetUp() override { restore_signals(); }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  [[nodiscard]] std::vector<std::string> small(const std::string& run) const {
    return {"train",     "--data",    sample_folder().string(),
            "--network", "784-32-10", "--batch-size",
            "13",        "--lr",      "0.01",
            "--shuffle", "--epochs",  "40",
            "--device",  "cpu",       "--threads",
            "1",         "--run-dir", path(run)};
  }
  // Data sets with this many samples, and a network that takes some milliseconds per sample.
  [[nodiscard]] std::vector<std::string> large(std::uint32_t training, std::uint32_t test) const {
    const auto add = [this](const std::string& set, std::uint32_t samples) {
      folder_.add(set + "-images-idx3-ubyte", idx({samples, 28, 28}, Bytes(samples * 784, 1)));
      folder_.add(set + "-labels-idx1-ubyte", idx({samples}, Bytes(samples, 1)));
    };
    add("train", training);
    add("t10k", test);
    return {"train",
            "--data",
            folder_.path().string(),
            "--network",
            "784-2048-2048-10",
            "--batch-size",
            "1",
            "--lr",
            "1e-6",
            "--epochs",
            "1000",
            "--log-every",
            "1000000",
            "--device",
            "cpu",
            "--threads",
            "1",
            "--run-dir",
            path("run")};
  }
  void expect_answered(Program& program, double max_seconds) const {
    const auto before = program.seconds();
    program.signal(SIGINT);
    const auto outcome = program.finish();
    EXPECT_EQ(outcome.exit_code, 75) << outcome.error;
    EXPECT_LT(outcome.seconds - before, max_seconds);
    EXPECT_THAT(outcome.error, HasSubstr("Resume with: warpfit resume " + path("run")));
  }
  void expect_same(const std::string& one, const std::string& other) const {
    for (const char* name : {"/model.safetensors", "/best.safetensors"}) {
      EXPECT_EQ(read_file(path(one) + name), read_file(path(other) + name)) << name;
    }
  }

  TemporaryFolder folder_;
};

constexpr double kPromised = kSanitized ? 8 : 2;  // seconds

// However long saving takes, it happens long before the last epoch.
TEST_F(InterruptProgram, SavesAtASignal) {
  auto arguments = small("run");
  std::ranges::replace(arguments, "40", "300");
  Program program(arguments);
  ASSERT_TRUE(program.wait_for("Epoch 2\n"));
  expect_answered(program, 60);
  EXPECT_FALSE(std::filesystem::is_empty(path("run/checkpoints")));
}

TEST_F(InterruptProgram, IsAnsweredWithinAnEpochOfManyBatches) {
  Program program(large(5000, 10));  // half a minute per epoch, which prints one line
  ASSERT_TRUE(program.wait_for("loss:"));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  expect_answered(program, kPromised);
}

TEST_F(InterruptProgram, IsAnsweredWithinAnEvaluation) {
  Program program(large(2, 10'000));
  ASSERT_TRUE(program.wait_for("loss:"));
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  expect_answered(program, kPromised);
}

TEST_F(InterruptProgram, KeepsIgnoringWhatItWasStartedToIgnore) {
  for (const int number : {SIGINT, SIGHUP}) {
    const Ignored ignored(number);
    Program program(small("run" + std::to_string(number)));
    ASSERT_TRUE(program.wait_for("Epoch 2\n"));
    program.signal(number);
    EXPECT_EQ(program.finish().exit_code, 0);
  }
}

// The second signal arrives while the program still saves because of the first.
TEST_F(InterruptProgram, IgnoresASecondHangup) {
  Program program(large(5000, 10));
  ASSERT_TRUE(program.wait_for("loss:"));
  program.signal(SIGHUP);
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  program.signal(SIGHUP);
  EXPECT_EQ(program.finish().exit_code, 75);
}

// When a terminal is closed, the kernel and the shell each send a signal.
TEST_F(InterruptProgram, SavesWhenTheTerminalIsClosed) {
  ASSERT_EQ(run_warpfit(small("whole")).exit_code, 0);
  Program program(small("run"));
  ASSERT_TRUE(program.wait_for("Epoch 3\n"));
  program.close_out();
  program.signal(SIGHUP);
  program.signal(SIGHUP);
  const auto outcome = program.finish();
  EXPECT_THAT(outcome.exit_code, testing::AnyOf(75, 5)) << outcome.error;
  EXPECT_EQ(run_warpfit({"resume", path("run")}).exit_code, 0);
  expect_same("whole", "run");
}

TEST_F(InterruptProgram, SavesWhenNobodyReadsItsOutput) {
  ASSERT_EQ(run_warpfit(small("whole")).exit_code, 0);
  Program program(small("run"));
  ASSERT_TRUE(program.wait_for("Epoch 3\n"));
  program.close_out();
  const auto outcome = program.finish();
  EXPECT_EQ(outcome.exit_code, 5) << outcome.error;
  EXPECT_THAT(outcome.error, HasSubstr("standard output: cannot write: Broken pipe; checkpoint saved"));
  EXPECT_FALSE(std::filesystem::exists(path("run/model.safetensors")));
  const auto resumed = run_warpfit({"resume", path("run")});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.error;
  EXPECT_THAT(resumed.error, HasSubstr("resumed at epoch"));
  expect_same("whole", "run");
}

// Without a run folder nothing can be saved, but the run still ends soon.
TEST_F(InterruptProgram, EndsWhenNobodyReadsItsOutput) {
  auto arguments = small("run");
  arguments.resize(arguments.size() - 2);
  Program program(arguments);
  ASSERT_TRUE(program.wait_for("Epoch 2\n"));
  program.close_out();
  const auto outcome = program.finish();
  EXPECT_EQ(outcome.exit_code, 5) << outcome.error;
  EXPECT_THAT(outcome.error, HasSubstr("standard output: cannot write"));
}

}  // namespace
}  // namespace warpfit::test
