#include "tests/support/program.hpp"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <stdexcept>

extern char** environ;

namespace warpfit::test {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) throw std::runtime_error("pipe");
  return ends;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (auto& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace

void restore_signals() {
  for (const int number : {SIGINT, SIGQUIT, SIGHUP}) ::signal(number, SIG_DFL);
}

Program::Program(const std::vector<std::string>& arguments, const std::string& name,
                 const std::vector<std::string>& environment)
    : started_(now()) {
  std::vector<std::string> words{program_path(name)};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const auto argv = pointers(words);
  std::vector<std::string> variables = environment;  // if a name occurs twice, the first one counts
  for (char** each = environ; *each != nullptr; ++each) variables.emplace_back(*each);
  const auto envp = pointers(variables);

  const auto out = make_pipe();
  const auto error = make_pipe();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, error[1], STDERR_FILENO);
  for (const int end : {out[0], out[1], error[0], error[1]}) posix_spawn_file_actions_addclose(&actions, end);
  const int status = posix_spawn(&process_, argv[0], &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  close(out[1]);
  close(error[1]);
  out_ = out[0];
  error_ = error[0];
  if (status != 0) throw std::runtime_error("cannot start " + words[0]);
}

Program::~Program() {
  if (process_ > 0) {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  for (const int descriptor : {out_, error_}) {
    if (descriptor >= 0) close(descriptor);
  }
}

void Program::read_from(int& descriptor, std::string& to) {
  std::array<char, 4096> block{};
  const ssize_t count = read(descriptor, block.data(), block.size());
  if (count > 0) {
    to.append(block.data(), static_cast<std::size_t>(count));
  } else {
    close(descriptor);
    descriptor = -1;
  }
}

bool Program::read_more() {
  constexpr double kLongestSeconds = 60;
  std::array<pollfd, 2> streams{{{out_, POLLIN, 0}, {error_, POLLIN, 0}}};
  if (out_ < 0 && error_ < 0) return false;
  constexpr int kMilliseconds = 200;
  poll(streams.data(), streams.size(), kMilliseconds);
  if (now() - started_ > kLongestSeconds) kill(process_, SIGKILL);
  if (out_ >= 0 && streams[0].revents != 0) read_from(out_, outcome_.out);
  if (error_ >= 0 && streams[1].revents != 0) read_from(error_, outcome_.error);
  return true;
}

bool Program::wait_for(std::string_view text) {
  while (outcome_.out.find(text) == std::string::npos) {
    if (!read_more()) return false;
  }
  return true;
}

void Program::signal(int number) const { kill(process_, number); }

void Program::close_out() {
  if (out_ >= 0) close(out_);
  out_ = -1;
}

double Program::seconds() const { return now() - started_; }

Outcome Program::finish() {
  while (read_more()) {
  }
  int status = 0;
  rusage usage{};
  wait4(process_, &status, 0, &usage);
  process_ = -1;
  constexpr int kSignalled = 128;
  outcome_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status);
  outcome_.seconds = now() - started_;
  const auto seconds_of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  outcome_.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  outcome_.peak_kilobytes = usage.ru_maxrss;
  return outcome_;
}

std::string program_path(const std::string& name) {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / name).string();
}

Outcome run_warpfit(const std::vector<std::string>& arguments, const std::vector<std::string>& environment) {
  return Program(arguments, "warpfit", environment).finish();
}

std::string output_of(const std::vector<std::string>& arguments) {
  const auto run = run_warpfit(arguments);
  EXPECT_EQ(run.exit_code, 0) << run.error;
  EXPECT_EQ(run.error, "");
  return run.out;
}

}  // namespace warpfit::test
