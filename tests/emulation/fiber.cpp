// Fibers: the context switch, their stacks, and the calls that inform the sanitizers of both.
#include "tests/emulation/fiber.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <string>
#include <utility>

#include "tests/emulation/emulation.hpp"
#include "tests/emulation/pages.hpp"

#if defined(__x86_64__) && !defined(WARPFIT_EMULATION_UCONTEXT)
extern "C" void warpfit_emulation_switch(void** save_stack_pointer, void* load_stack_pointer);
// Saves the callee-saved registers, switches stacks, and restores the registers of the other side. Takes 5
// ns; swapcontext takes 300. It ends with a jump instead of a return, because the processor's return-address
// prediction belongs to the previous stack.
asm(R"(
.text
.globl warpfit_emulation_switch
.hidden warpfit_emulation_switch
.type warpfit_emulation_switch,@function
warpfit_emulation_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  popq %rcx
  jmpq *%rcx
.size warpfit_emulation_switch,.-warpfit_emulation_switch
)");
#else
#include <ucontext.h>
#endif

namespace warpfit::emulation {
namespace {

constexpr std::size_t kGuard = kPage;
/// An inaccessible page splits a mapping in two, and Linux allows 65,530 mappings per process. Fibers beyond
/// this number have no inaccessible page; their stacks are checked when the fibers are returned.
constexpr int kMaxGuarded = 20'000;
int guarded_fibers = 0;

Fiber* current = nullptr;  // the running fiber; protected by the runtime's lock

#if defined(__x86_64__) && !defined(WARPFIT_EMULATION_UCONTEXT)
void* prepare(char* stack, std::size_t size, void (*begin)()) {
  // The values that the switch pops, below the entry address; as after a call, the stack pointer is 8 mod 16
  // on entry.
  auto* top = reinterpret_cast<void**>(stack + size) - 3;
  *--top = reinterpret_cast<void*>(begin);
  top -= 6;
  std::memset(top, 0, 6 * sizeof(void*));
  return top;
}

void change(void** from, void* to) { warpfit_emulation_switch(from, to); }
#else
// Other processors: the saved stack pointer is the address of a context. A fiber's first context lies at the
// top of its stack, each later one on the stack of the fiber or thread that is left.
void* prepare(char* stack, std::size_t size, void (*begin)()) {
  auto* context = reinterpret_cast<ucontext_t*>(stack + size - (sizeof(ucontext_t) + 63) / 64 * 64);
  getcontext(context);
  context->uc_stack.ss_sp = stack;
  context->uc_stack.ss_size = static_cast<std::size_t>(reinterpret_cast<char*>(context) - stack);
  context->uc_link = nullptr;
  makecontext(context, begin, 0);
  return context;
}

void change(void** from, void* to) {
  ucontext_t here;
  *from = &here;
  swapcontext(&here, static_cast<ucontext_t*>(to));
}
#endif

}  // namespace

Fiber::Fiber(std::size_t stack) : stack_(stack) {
  static unsigned count = 0;
  colour_ = count++ * 13 % 64 * 64;
  mapping_ = map_pages(kGuard + stack_, true);
  if (mapping_ == nullptr) fail("out of memory for the stack of a CUDA thread");
  guarded_ = guarded_fibers < kMaxGuarded;
  if (!guarded_) return;
  ++guarded_fibers;
  protect_pages(mapping_, kGuard, false);
}

Fiber::~Fiber() {
  if (guarded_) --guarded_fibers;
  sanitizer::unpoison(mapping_ + kGuard, stack_);
  unmap_pages(mapping_, kGuard + stack_);
}

void Fiber::begin() {
  Fiber& self = *current;
  if (__sanitizer_finish_switch_fiber != nullptr) {
    __sanitizer_finish_switch_fiber(nullptr, &self.resumer_.bottom, &self.resumer_.size);
  }
  self.entry_();
  __builtin_unreachable();
}

void Fiber::start(void (*entry)()) {
  entry_ = entry;
  stack_pointer_ = prepare(mapping_ + kGuard, stack_ - colour_, begin);
  fake_stack_ = nullptr;
}

void Fiber::resume() {
  resumer_.fiber = current;
  current = this;
  if (__sanitizer_start_switch_fiber != nullptr) {
    __sanitizer_start_switch_fiber(&resumer_.fake_stack, mapping_ + kGuard, stack_);
  }
  if (sanitizer::thread()) {
    resumer_.context = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(context_.get(), sanitizer::kNoOrder);
  }
  change(&resumer_.stack_pointer, stack_pointer_);
  if (__sanitizer_finish_switch_fiber != nullptr) {
    __sanitizer_finish_switch_fiber(resumer_.fake_stack, nullptr, nullptr);
  }
  current = resumer_.fiber;
}

void Fiber::leave(bool for_good) {
  if (__sanitizer_start_switch_fiber != nullptr) {
    __sanitizer_start_switch_fiber(for_good ? nullptr : &fake_stack_, resumer_.bottom, resumer_.size);
  }
  if (sanitizer::thread()) __tsan_switch_to_fiber(resumer_.context, sanitizer::kNoOrder);
  change(&stack_pointer_, resumer_.stack_pointer);
  if (__sanitizer_finish_switch_fiber != nullptr) {
    __sanitizer_finish_switch_fiber(fake_stack_, &resumer_.bottom, &resumer_.size);
  }
}

void Fiber::suspend() { current->leave(false); }

void Fiber::finish() {
  current->leave(true);
  __builtin_unreachable();
}

bool Fiber::overflowed(const void* address) const {
  const auto* byte = static_cast<const char*>(address);
  return guarded_ && byte >= mapping_ && byte < mapping_ + kGuard;
}

bool Fiber::intact() const {
  const auto* page = reinterpret_cast<const std::uint64_t*>(mapping_);
  return guarded_ ||
         std::all_of(page, page + kGuard / sizeof *page, [](std::uint64_t word) { return word == 0; });
}

Fiber* FiberPool::take() {
  if (free_.empty()) reserve(1);
  Fiber* fiber = sanitizer::thread() ? free_.front() : free_.back();
  if (sanitizer::thread()) {
    free_.pop_front();
  } else {
    free_.pop_back();
  }
  return fiber;
}

void FiberPool::give_back(Fiber* fiber) {
  if (!fiber->intact()) fail("a CUDA thread's stack overflowed");
  free_.push_back(fiber);
}

void FiberPool::abandon(Fiber* fiber) {
  std::erase_if(all_, [fiber](const auto& one) { return one.get() == fiber; });
}

void FiberPool::reserve(std::size_t count) {
  while (free_.size() < (sanitizer::thread() ? 2 : 1) * count) {
    all_.push_back(std::make_unique<Fiber>());
    free_.push_back(all_.back().get());
  }
}

bool FiberPool::overflowed(const void* address) const {
  return std::any_of(all_.begin(), all_.end(),
                     [address](const auto& one) { return one->overflowed(address); });
}

namespace {
const std::function<void()>* worker_work = nullptr;
std::string worker_failure;

// Flattened: a standard library function might be linked from an instrumented file, and this thread would
// then seem to race with the thread that created the work.
[[gnu::flatten]] void work_on_fiber() {
  try {
    (*worker_work)();
  } catch (const std::exception& thrown) {
    const sanitizer::Ignore ignore;
    worker_failure = thrown.what();
  }
  Fiber::finish();
}
}  // namespace

// Created here and not on first use: ThreadSanitizer orders everything its creator did before a new thread.
Worker::Worker() : fiber_(sanitizer::thread() ? std::make_unique<Fiber>(Fiber::kHostThread) : nullptr) {}

void Worker::run(const std::function<void()>& work) {
  if (!fiber_) {
    work();
    return;
  }
  worker_work = &work;
  fiber_->start(work_on_fiber);
  fiber_->resume();
  if (worker_failure.empty()) return;
  const sanitizer::Ignore ignore;
  throw Failure(std::exchange(worker_failure, ""));
}

}  // namespace warpfit::emulation
