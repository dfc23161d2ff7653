// Runs that are interrupted or killed, or cannot write, as their user sees them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <regex>
#include <thread>

#include "host/model/model_file.hpp"
#include "tests/support/files.hpp"
#include "tests/support/program.hpp"
#include "tests/support/random.hpp"
#include "tests/support/sanitizers.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class ResumeProgram : public testing::Test {
 protected:
  void SetUp() override { restore_signals(); }
  // A run of 19 steps per epoch whose state includes moments, dropout masks, a sample order and a best epoch.
  [[nodiscard]] std::vector<std::string> arguments(const std::string& folder, const std::string& epochs,
                                                   const std::string& every,
                                                   const std::string& network = "784-32-10",
                                                   const std::string& batch_size = "13") const {
    return {"train",       "--data",     sample_folder().string(),
            "--network",   network,      "--batch-size",
            batch_size,    "--epochs",   epochs,
            "--shuffle",   "--dropout",  "0.2",
            "--optimizer", "adam",       "--validation-split",
            "0.2",         "--schedule", "cosine",
            "--log-every", "5",          "--device",
            "cpu",         "--threads",  "1",
            "--run-dir",   path(folder), "--checkpoint-every",
            every};
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  // The rows of the metrics file without their times.
  [[nodiscard]] std::string rows(const std::string& folder) const {
    const auto bytes = read_file(path(folder) + "/metrics.jsonl");
    return std::regex_replace(std::string(bytes.begin(), bytes.end()), std::regex(R"(,"seconds".*\})"), "}");
  }

  void expect_same(const std::string& one, const std::string& other) const {
    for (const char* name : {"/model.safetensors", "/best.safetensors"}) {
      EXPECT_EQ(read_file(path(one) + name), read_file(path(other) + name)) << name;
    }
    EXPECT_EQ(rows(one), rows(other));
  }

  TemporaryFolder folder_;
};

// The limit of device memory depends on the machine, not on the run, and may be changed when the run is
// resumed.
TEST_F(ResumeProgram, KeepsToTheLimitOfTheDevicesMemoryThatItIsGiven) {
  ASSERT_EQ(run_warpfit(arguments("run", "2", "1epoch")).exit_code, 0);
  const auto low = run_warpfit({"resume", path("run"), "--device-memory-limit", "1K"});
  EXPECT_EQ(low.exit_code, 7) << low.error;
  EXPECT_THAT(low.error, HasSubstr("--device-memory-limit 1024: expected at least "));
  const auto enough = run_warpfit({"resume", path("run"), "--device-memory-limit", "64K"});
  EXPECT_EQ(enough.exit_code, 0) << enough.error;
}

TEST_F(ResumeProgram, EndsAsIfItHadNotBeenInterrupted) {
  constexpr const char* kEpochs = kThreadSanitizer ? "20" : "60";
  ASSERT_EQ(run_warpfit(arguments("whole", kEpochs, "1epoch")).exit_code, 0);
  for (const int number : {SIGINT, SIGTERM, SIGUSR1}) {
    const std::string name = "run" + std::to_string(number);
    Program program(arguments(name, kEpochs, "7"));
    ASSERT_TRUE(program.wait_for("Epoch 3\n"));
    const auto before = program.seconds();
    program.signal(number);
    const auto outcome = program.finish();
    EXPECT_EQ(outcome.exit_code, 75) << outcome.error;
    EXPECT_LT(outcome.seconds - before, 2);
    EXPECT_THAT(outcome.error, HasSubstr("warpfit resume " + path(name)));
    const auto resumed = run_warpfit({"resume", path(name)});
    ASSERT_EQ(resumed.exit_code, 0) << resumed.error;
    EXPECT_THAT(resumed.error, HasSubstr("resumed at epoch "));
    EXPECT_THAT(resumed.out, HasSubstr("Done!"));
    expect_same("whole", name);
  }
}

TEST_F(ResumeProgram, ASecondSignalEndsItAtOnce) {
  // A step and the checkpoint after it take some tenths of a second.
  Program program(arguments("run", "1000000", "1000000epochs", "784-2048-2048-10", "240"));
  ASSERT_TRUE(program.wait_for("Epoch 2\n"));
  program.signal(SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  program.signal(SIGTERM);
  EXPECT_EQ(program.finish().exit_code, 128 + SIGTERM);
}

// A run that saves a checkpoint at every step is killed at random moments; it can always be resumed.
// WARPFIT_KILLS sets the number of kills.
TEST_F(ResumeProgram, LosesNothingWhereItIsKilled) {
  const char* given = std::getenv("WARPFIT_KILLS");
  const int kills = given != nullptr ? std::atoi(given) : kSanitized ? 4 : 10;
  std::mt19937 engine(test_seed());
  std::uniform_real_distribution<double> moment(0, 0.05);
  constexpr const char* kEpochs = kThreadSanitizer ? "20" : "40";
  ASSERT_EQ(run_warpfit(arguments("whole", kEpochs, "1epoch")).exit_code, 0);
  const auto at_its_end = [&](const Outcome& outcome) {
    EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
    expect_same("whole", "run");
    std::filesystem::remove_all(path("run"));
  };
  for (int killed = 0; killed < kills; ++killed) {
    SCOPED_TRACE(testing::Message() << "kill " << killed << ", seed " << test_seed());
    const bool is_new = !std::filesystem::exists(path("run"));
    Program program(is_new ? arguments("run", kEpochs, "1")
                           : std::vector<std::string>{"resume", path("run")});
    if (program.wait_for("Epoch ")) {
      std::this_thread::sleep_for(std::chrono::duration<double>(moment(engine)));
      program.signal(SIGKILL);
    }
    const auto outcome = program.finish();
    ASSERT_THAT(outcome.error, testing::Not(HasSubstr("skipped")));
    if (outcome.exit_code != 128 + SIGKILL) at_its_end(outcome);
    ASSERT_FALSE(HasFailure());
  }
  if (std::filesystem::exists(path("run"))) at_its_end(run_warpfit({"resume", path("run")}));
}

// A run is stopped several times, by any signal and at any moment, including its start. WARPFIT_STOPPED_RUNS
// sets the number of runs.
TEST_F(ResumeProgram, LosesNothingWhateverSignalStopsIt) {
  const char* given = std::getenv("WARPFIT_STOPPED_RUNS");
  const int runs = given != nullptr ? std::atoi(given) : kSanitized ? 1 : 2;
  constexpr std::array kSignals{SIGKILL, SIGKILL, SIGTERM, SIGINT, SIGHUP, SIGUSR1};
  constexpr int kStops = 5;
  std::mt19937 engine(test_seed());
  std::uniform_real_distribution<double> moment(0, kSanitized ? 3 : 0.4);
  constexpr const char* kEpochs = kThreadSanitizer ? "20" : "40";
  ASSERT_EQ(run_warpfit(arguments("whole", kEpochs, "1epoch")).exit_code, 0);
  const auto next = [&] {
    const bool begun = std::filesystem::exists(path("run") + "/config.toml");
    return begun ? std::vector<std::string>{"resume", path("run")} : arguments("run", kEpochs, "9");
  };
  for (int run = 0; run < runs; ++run) {
    for (int stop = 0; stop < kStops; ++stop) {
      SCOPED_TRACE(testing::Message() << "run " << run << ", stop " << stop << ", seed " << test_seed());
      Program program(next());
      std::this_thread::sleep_for(std::chrono::duration<double>(moment(engine)));
      const int number = kSignals[engine() % kSignals.size()];
      program.signal(number);
      if (engine() % 4 == 0) program.signal(SIGTERM);  // a second one ends it at once
      const auto outcome = program.finish();
      ASSERT_THAT(outcome.exit_code, testing::AnyOf(0, 75, 128 + number, 128 + SIGTERM)) << outcome.error;
      ASSERT_THAT(outcome.error, testing::Not(HasSubstr("[warning]")));
    }
    const auto outcome = run_warpfit(next());
    ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
    expect_same("whole", "run");
    ASSERT_FALSE(HasFailure());
    std::filesystem::remove_all(path("run"));
  }
}

TEST_F(ResumeProgram, RefusesWhatDoesNotBelongTogether) {
  ASSERT_EQ(run_warpfit(arguments("run", "2", "1epoch")).exit_code, 0);
  const auto again = run_warpfit(arguments("run", "2", "1epoch"));
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_THAT(again.error, HasSubstr("it contains a run; resume it with warpfit resume " + path("run")));

  const auto config = path("run") + "/config.toml";
  const auto bytes = read_file(config);
  const std::string text(bytes.begin(), bytes.end());
  const auto resumed_with = [&](const std::string& was, const std::string& is) {
    const auto other = std::regex_replace(text, std::regex(was), is);
    EXPECT_NE(other, text);
    write_file(config, Bytes(other.begin(), other.end()));
    const auto outcome = run_warpfit({"resume", path("run")});
    EXPECT_EQ(outcome.exit_code, 4);
    return outcome.error;
  };
  EXPECT_THAT(resumed_with("784-32-10", "784-31-10"), HasSubstr("checkpoint of network 784-32-10"));
  EXPECT_THAT(resumed_with("\"adam\"", "\"rmsprop\""), HasSubstr("checkpoint of another optimizer"));
  EXPECT_THAT(resumed_with("batch-size = 13", "batch-size = 14"), HasSubstr("batches an epoch"));
  for (const char* set : {"train", "t10k"}) {
    const std::uint32_t count = 300;
    folder_.add(std::string(set) + "-images-idx3-ubyte", idx({count, 28, 28}, Bytes(count * 28 * 28)));
    folder_.add(std::string(set) + "-labels-idx1-ubyte", idx({count}, Bytes(count)));
  }
  const auto other_data = "\ndata = \"" + folder_.path().string() + "\"";
  EXPECT_THAT(resumed_with("\ndata = [^\n]*", other_data), HasSubstr("checkpoint of another data set"));

  EXPECT_EQ(run_warpfit({"resume", path("nothing")}).exit_code, 5);
  EXPECT_EQ(run_warpfit({"resume", folder_.path().string()}).exit_code, 2);
  const auto missing = run_warpfit({"resume"});
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_THAT(missing.error, HasSubstr("no RUN_DIR given"));
}

TEST_F(ResumeProgram, IsRepeatedFromItsConfiguration) {
  ASSERT_EQ(run_warpfit(arguments("run", "2", "1epoch")).exit_code, 0);
  ASSERT_EQ(
      run_warpfit({"train", "--config", path("run") + "/config.toml", "--run-dir", path("again")}).exit_code,
      0);
  expect_same("run", "again");
}

TEST_F(ResumeProgram, EndsWhereNothingImproves) {
  auto asked = arguments("run", "50", "1epoch");
  for (const char* more : {"--patience", "2", "--min-delta", "100"}) asked.emplace_back(more);
  const auto outcome = run_warpfit(asked);
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.error, HasSubstr("no improvement in 2 epochs"));
  EXPECT_THAT(outcome.out, HasSubstr("Epoch 3\n"));
  EXPECT_THAT(outcome.out, testing::Not(HasSubstr("Epoch 4\n")));
  EXPECT_THAT(outcome.out, HasSubstr("Done!"));
  // Resuming it does no more training.
  const auto resumed = run_warpfit({"resume", path("run")});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.error;
  EXPECT_THAT(resumed.out, testing::Not(HasSubstr("Epoch")));
  const auto longer = run_warpfit({"resume", path("run"), "--epochs", "51"});
  EXPECT_EQ(longer.exit_code, 0) << longer.error;
  EXPECT_THAT(longer.error, HasSubstr("the run had ended early; --patience counts from here on"));
  EXPECT_THAT(longer.out, HasSubstr("Epoch 5\n"));
  EXPECT_THAT(longer.out, Not(HasSubstr("Epoch 6\n")));
}

TEST_F(ResumeProgram, KeepsItsConfigurationWhereItIsRefused) {
  ASSERT_EQ(run_warpfit(arguments("run", "2", "1epoch")).exit_code, 0);
  const auto config = read_file(path("run") + "/config.toml");
  EXPECT_EQ(run_warpfit({"resume", path("run"), "--epochs", "9", "--device-memory-limit", "1"}).exit_code, 7);
  EXPECT_EQ(read_file(path("run") + "/config.toml"), config);
}

TEST_F(ResumeProgram, KeepsTheNamesOfTheClasses) {
  const std::string names = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";
  const auto file = folder_.add("names", {names.begin(), names.end()});
  auto asked = arguments("run", "1", "1epoch");
  asked.insert(asked.end(), {"--class-names", file});
  ASSERT_EQ(run_warpfit(asked).exit_code, 0);
  std::filesystem::remove(file);
  EXPECT_EQ(run_warpfit({"resume", path("run"), "--epochs", "2"}).exit_code, 0);
  EXPECT_EQ(load_model(path("run") + "/model.safetensors").info.class_names.size(), 10U);
}

TEST_F(ResumeProgram, GoesOnAfterItsLastEpoch) {
  auto whole = arguments("whole", "4", "1epoch");
  auto part = arguments("part", "2", "1epoch");
  for (auto* run : {&whole, &part}) *std::ranges::find(*run, "cosine") = "constant";
  ASSERT_EQ(run_warpfit(whole).exit_code, 0);
  ASSERT_EQ(run_warpfit(part).exit_code, 0);
  const auto longer = run_warpfit({"resume", path("part"), "--epochs", "4"});
  EXPECT_EQ(longer.exit_code, 0) << longer.error;
  EXPECT_THAT(longer.out, HasSubstr("Epoch 4\n"));
  EXPECT_THAT(longer.error, Not(HasSubstr("schedule")));
  expect_same("whole", "part");
  EXPECT_EQ(read_file(path("whole") + "/config.toml").size(),
            read_file(path("part") + "/config.toml").size());
  const auto again = run_warpfit({"resume", path("part")});  // with the new number of epochs
  EXPECT_EQ(again.exit_code, 0) << again.error;
  EXPECT_EQ(again.out, "Done!\n");
  expect_same("whole", "part");
}

TEST_F(ResumeProgram, GoesOnWithTheScheduleOfTheNewNumberOfEpochs) {
  ASSERT_EQ(run_warpfit(arguments("run", "2", "1epoch")).exit_code, 0);
  const auto longer = run_warpfit({"resume", path("run"), "--epochs", "3"});
  EXPECT_EQ(longer.exit_code, 0) << longer.error;
  EXPECT_THAT(longer.error, HasSubstr("the schedule spans all epochs: from now on the learning rate is that "
                                      "of a run of 3 epochs, not of 2"));
  const auto config = read_file(path("run") + "/config.toml");
  const auto fewer = run_warpfit({"resume", path("run"), "--epochs", "2"});
  EXPECT_EQ(fewer.exit_code, 2) << fewer.error;
  EXPECT_THAT(fewer.error, HasSubstr("--epochs 2: the run has already reached epoch 3"));
  EXPECT_EQ(read_file(path("run") + "/config.toml"), config);
}

TEST_F(ResumeProgram, WarmStartsFromAModel) {
  ASSERT_EQ(run_warpfit(arguments("run", "2", "1epoch")).exit_code, 0);
  auto asked = arguments("next", "1", "1epoch");
  for (const auto& more : {std::string("--init-from"), path("run") + "/model.safetensors"})
    asked.push_back(more);
  const auto outcome = run_warpfit(asked);
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.error, HasSubstr("4 of 4 tensors loaded"));
}

}  // namespace
}  // namespace warpfit::test
