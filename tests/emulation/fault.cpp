// Handles a fault on a page that the emulation made inaccessible: next to device memory, in freed memory, in
// device memory that host code must not touch, or under the stack of a CUDA thread.
#include "tests/emulation/fault.hpp"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>

#include "tests/emulation/grid.hpp"
#include "tests/emulation/runtime.hpp"
#include "tests/emulation/sanitizer.hpp"

namespace warpfit::emulation {
namespace {

struct sigaction previous;

/// Describes the fault; empty if the address does not belong to the emulation.
std::string explain(const void* address) {
  if (fibers().overflowed(address)) return running_location() + "the thread's stack of 256 KB is used up";
  const std::string where = runtime().memory.describe(address);
  if (where == Memory::kNowhere) return "";
  if (running().launch != nullptr) return running_location() + "an access " + where;
  return "the host accesses device memory: " + where;
}

// Calls functions that are not async-signal-safe; the process is about to die anyway.
void on_fault(int signal, siginfo_t* info, void* context) {
  const std::string text = explain(info->si_addr);
  if (!text.empty()) {
    std::fprintf(stderr, "CUDA emulation: %s\n", text.c_str());
    std::fflush(stderr);
  }
  if ((previous.sa_flags & SA_SIGINFO) != 0 && previous.sa_sigaction != nullptr) {
    previous.sa_sigaction(signal, info, context);
  }
  sigaction(SIGSEGV, &previous, nullptr);  // the access is repeated and kills the process
}

/// The handler's own stack: the stack of a CUDA thread may have overflowed.
struct HandlerStack {
  HandlerStack() {
    stack_t stack{};
    stack.ss_sp = memory.get();
    stack.ss_size = kSize;
    sigaltstack(&stack, nullptr);
  }
  ~HandlerStack() {
    stack_t stack{};
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, nullptr);
  }
  HandlerStack(const HandlerStack&) = delete;
  HandlerStack& operator=(const HandlerStack&) = delete;

  static constexpr std::size_t kSize = 64 * 1024;
  std::unique_ptr<char[]> memory = std::make_unique<char[]>(kSize);
};

}  // namespace

void watch_faults() {
  if (sanitizer::thread() || sanitizer::address()) return;
  static thread_local const HandlerStack stack;
  static const bool installed = [] {
    struct sigaction action {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGSEGV, &action, &previous);
    return true;
  }();
  static_cast<void>(installed);
}

}  // namespace warpfit::emulation
