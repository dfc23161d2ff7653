// A run on a terminal: the program runs on a pseudo-terminal, and the contents of its screen are compared.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "tests/support/files.hpp"
#include "tests/support/program.hpp"
#include "tests/support/terminal_program.hpp"
#include "tests/support/terminal_screen.hpp"

namespace warpfit::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

// Runs the program with standard output and error on a terminal of this width.
TerminalOutcome watch(std::vector<std::string> arguments, unsigned short columns,
                      const char* kind = "xterm") {
  arguments.insert(arguments.begin(), program_path());
  return TerminalProgram(arguments, columns, kind).finish();
}

// Runs a command of the shell, in which "$0" "$@" is the program with its arguments.
TerminalOutcome watch_command(const std::string& command, const std::vector<std::string>& arguments) {
  std::vector<std::string> words{"sh", "-c", command, program_path()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return TerminalProgram(words, 80).finish();
}

std::vector<std::string> training(const std::string& epochs) {
  return {
      "train",    "--data", sample_folder().string(), "--device", "cpu",         "--network", "784-256-10",
      "--epochs", epochs,   "--batch-size",           "1",        "--log-every", "100"};
}

// The lines of the screen without the progress line, and with times removed.
std::vector<std::string> without_times(std::vector<std::string> lines) {
  std::erase_if(lines, [](const std::string& line) {
    return line.find("samples/s") != line.npos || line.find("[info] data:") != line.npos;
  });
  return lines;
}

TEST(ProgressOnATerminal, LeavesNothingBehind) {
  auto arguments = training("30");
  constexpr unsigned short kColumns = 250;  // wide enough that no other line wraps
  TerminalScreen with(kColumns), without(kColumns);
  const auto watched = watch(arguments, kColumns);
  EXPECT_EQ(watched.exit_code, 0);
  with.write(watched.output);
  EXPECT_THAT(with.overwritten(), Contains(HasSubstr("epoch 1/30  ")));
  EXPECT_THAT(with.overwritten(), Contains(HasSubstr(" left")));
  EXPECT_THAT(with.overwritten(), Contains(HasSubstr("accuracy ")));
  arguments.insert(arguments.end(), {"--progress", "never"});
  const auto plain = watch(arguments, kColumns);
  without.write(plain.output);
  EXPECT_THAT(without.overwritten(), Not(Contains(HasSubstr("epoch 1/30  "))));
  EXPECT_THAT(without_times(with.lines()), testing::ElementsAreArray(without_times(without.lines())));
  EXPECT_THAT(with.lines(), Contains(HasSubstr("best epoch by test loss: ")));
}

TEST(ProgressOnATerminal, NeverWraps) {
  for (const unsigned short columns : {40, 20, 12}) {
    TerminalScreen screen(1000);  // wider than all lines, so that they are kept as written
    const auto watched = watch(training("20"), columns);
    EXPECT_EQ(watched.exit_code, 0) << watched.output;
    screen.write(watched.output);
    int progress_lines = 0;
    for (const auto& line : screen.overwritten()) {
      if (line.find('%') == line.npos || line.find("ccuracy:") != line.npos ||
          line.find("[info]") != line.npos)
        continue;
      ++progress_lines;
      EXPECT_LT(line.size(), columns) << line;
    }
    EXPECT_GT(progress_lines, 0) << columns;
  }
}

TEST(ProgressOnATerminal, IsNotShownWhereItCannotBeErasedOrIsNotWanted) {
  for (const auto& [option, kind] : std::vector<std::pair<std::string, const char*>>{
           {"--verbose", "dumb"}, {"--progress=never", "xterm"}, {"--quiet", "xterm"}}) {
    auto arguments = training("3");
    arguments.push_back(option);
    const auto watched = watch(arguments, 80, kind);
    EXPECT_EQ(watched.exit_code, 0) << watched.output;
    EXPECT_THAT(watched.output, Not(HasSubstr("\x1b[J"))) << option;
    EXPECT_THAT(watched.output, Not(HasSubstr("epoch 1/3"))) << option;
  }
}

TEST(ProgressOnATerminal, IsErasedBeforeAnError) {
  auto arguments = training("3");
  arguments.insert(arguments.end(), {"--lr", "1e30"});
  TerminalScreen screen(200);
  const auto watched = watch(arguments, 200);
  EXPECT_EQ(watched.exit_code, 8) << watched.output;
  screen.write(watched.output);
  const auto lines = screen.lines();
  EXPECT_THAT(lines.at(lines.size() - 2), testing::StartsWith("warpfit [error] ")) << watched.output;
  EXPECT_EQ(lines.back(), "");
}

// The text of a pipe reaches the terminal later, through a program that knows nothing of the line.
TEST(ProgressOnATerminal, IsNotShownIfStandardOutputIsAPipe) {
  for (const auto& [redirection, is_shown] :
       std::vector<std::pair<std::string, bool>>{{"| cat", false}, {"> /dev/null", true}}) {
    const auto watched = watch_command("\"$0\" \"$@\" " + redirection, training("3"));
    EXPECT_EQ(watched.exit_code, 0) << watched.output;
    EXPECT_EQ(watched.output.find("\x1b[J") != watched.output.npos, is_shown) << watched.output;
    EXPECT_EQ(watched.output.find("epoch 1/3") != watched.output.npos, is_shown) << watched.output;
  }
}

// The shell, which has job control, starts it in a process group of its own and keeps the foreground.
TEST(ProgressOnATerminal, IsNotShownByABackgroundJob) {
  const auto watched = watch_command("set -m; \"$0\" \"$@\" & wait $!", training("3"));
  EXPECT_EQ(watched.exit_code, 0) << watched.output;
  EXPECT_THAT(watched.output, HasSubstr("best "));
  EXPECT_THAT(watched.output, Not(HasSubstr("\x1b[J")));
  EXPECT_THAT(watched.output, Not(HasSubstr("epoch 1/3")));
}

// The first step takes long enough for signals to come while the line is on the screen.
std::vector<std::string> slow_training() {
  return {program_path(), "train", "--data",    sample_folder().string(), "--device", "cpu",
          "--threads",    "1",     "--network", "784-2048-2048-10",       "--epochs", "1000000",
          "--batch-size", "240"};
}

void expect_erased(const TerminalOutcome& outcome, int signal) {
  TerminalScreen screen(200);
  screen.write(outcome.output);
  EXPECT_EQ(outcome.exit_code, 128 + signal) << outcome.output;
  EXPECT_EQ(screen.lines().back(), "") << outcome.output;
}

TEST(ProgressOnATerminal, IsErasedWhenASignalEndsTheRun) {
  restore_signals();
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) {
    TerminalProgram program(slow_training(), 200);
    ASSERT_TRUE(program.wait_for("epoch 1/"));
    program.signal(number);
    expect_erased(program.finish(), number);
  }
}

// While the run is still in the step in which the first signal came.
TEST(ProgressOnATerminal, IsErasedWhenASecondSignalEndsTheRun) {
  restore_signals();
  const TemporaryFolder folder;
  auto arguments = slow_training();
  arguments.insert(arguments.end(),
                   {"--run-dir", (folder.path() / "run").string(), "--checkpoint-every", "1000000epochs"});
  TerminalProgram program(arguments, 200);
  ASSERT_TRUE(program.wait_for("epoch 1/"));
  program.signal(SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  program.signal(SIGTERM);
  expect_erased(program.finish(), SIGTERM);
}

// As Ctrl-S does.
TEST(ProgressOnATerminal, DoesNotHoldTheProcessIfTheTerminalIsStopped) {
  restore_signals();
  TerminalProgram program(slow_training(), 200);
  ASSERT_TRUE(program.wait_for("epoch 1/"));
  program.stop_output();
  program.signal(SIGTERM);
  EXPECT_EQ(program.finish().exit_code, 128 + SIGTERM);
}

// Output to a file contains neither a carriage return nor an escape sequence.
TEST(ProgressOnATerminal, IsNoPartOfFiles) {
  const auto run = run_warpfit(training("3"), {"TERM=xterm"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.error.find_first_of("\r\x1b"), std::string::npos) << run.error;
  EXPECT_THAT(run.error, HasSubstr("warpfit [info] best epoch by test loss: "));
}

}  // namespace
}  // namespace warpfit::test
