#include "tests/support/terminal_program.hpp"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

namespace warpfit::test {

TerminalProgram::TerminalProgram(std::vector<std::string> command, unsigned short columns,
                                 const std::string& kind) {
  std::vector<char*> argv;
  for (auto& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  const winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  process_ = forkpty(&terminal_, nullptr, nullptr, &size);
  if (process_ < 0) throw std::runtime_error("no pseudo-terminal");
  if (process_ == 0) {
    setenv("TERM", kind.c_str(), 1);
    execvp(argv[0], argv.data());
    _exit(127);
  }
}

TerminalProgram::~TerminalProgram() {
  if (process_ > 0) {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  if (terminal_ >= 0) close(terminal_);
}

// Reading fails when all processes have closed the terminal. A command that takes a minute is killed.
bool TerminalProgram::read_more() {
  constexpr auto kLongest = std::chrono::seconds(60);
  constexpr int kMilliseconds = 200;
  pollfd terminal{terminal_, POLLIN, 0};
  const auto is_late = [&] { return std::chrono::steady_clock::now() - started_ > kLongest; };
  while (poll(&terminal, 1, kMilliseconds) == 0 && !is_late()) {
  }
  std::array<char, 4096> bytes{};
  if (is_late()) kill(process_, SIGKILL);
  const ssize_t count = read(terminal_, bytes.data(), bytes.size());
  if (count > 0) output_.append(bytes.data(), static_cast<std::size_t>(count));
  return count > 0;
}

bool TerminalProgram::wait_for(std::string_view text) {
  while (output_.find(text) == std::string::npos) {
    if (!read_more()) return false;
  }
  return true;
}

void TerminalProgram::signal(int number) const { kill(process_, number); }

void TerminalProgram::stop_output() const {
  constexpr char kStop = 'S' & 0x1f;
  if (write(terminal_, &kStop, 1) != 1) throw std::runtime_error("cannot write to the pseudo-terminal");
}

TerminalOutcome TerminalProgram::finish() {
  while (read_more()) {
  }
  int status = 0;
  waitpid(process_, &status, 0);
  process_ = -1;
  constexpr int kSignalled = 128;
  return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status),
          .output = output_};
}

}  // namespace warpfit::test
