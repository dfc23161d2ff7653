// Runs a launch, and answers what a running kernel calls (device_runtime.hpp).
#include "tests/emulation/grid.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include "tests/emulation/device_threads.hpp"
#include "tests/emulation/runtime.hpp"
#include "tests/emulation/sanitizer.hpp"

namespace warpfit::emulation {
namespace {

/// After so many rounds in which every thread only waited, nobody will come.
constexpr int kPatience = 20000;
/// A thread that did so many atomic operations in a row which changed nothing may be waiting for another
/// thread.
constexpr int kAtomicsInARow = 64;

const std::function<void()>* running_body = nullptr;
std::string failure;  // of the thread that just ran

void deadlock(const std::vector<Block*>& blocks) {
  int limit = 6;
  int unfinished = 0;
  std::string text;
  for (const Block* block : blocks) {
    unfinished += block->unfinished();
    text += block->waiting(limit);
  }
  const bool alone = !running().launch->cooperative && running().launch->grid.x > 1;
  fail("deadlock: %d threads wait%s%s", unfinished, text.c_str(),
       alone ? "\n  (blocks of a launch that is not cooperative cannot wait for each other)" : "");
}

void run_blocks(const std::vector<Block*>& blocks, std::minstd_rand& random) {
  int waited = 0;
  while (true) {
    bool progress = false;
    bool spinning = false;
    bool left = false;
    for (Block* block : blocks) {
      if (block->finished()) continue;
      progress = block->pass(random) || progress;
      left = left || !block->finished();
      spinning = spinning || block->spinning();
    }
    if (!left) return;
    waited = progress ? 0 : waited + 1;
    if (!progress && (!spinning || waited > kPatience)) deadlock(blocks);
  }
}

}  // namespace

char launch_begin;
char launch_end;

Running& running() {
  static Running state;
  return state;
}

FiberPool& fibers() {
  static FiberPool pool;
  return pool;
}

void run_thread() {
  sanitizer::acquire(&launch_begin);
  try {
    (*running_body)();
  } catch (const std::exception& thrown) {
    const sanitizer::Ignore ignore;
    failure = thrown.what();
  }
  sanitizer::release(&launch_end);
  running().thread->state = Thread::State::kExited;
  Fiber::finish();
}

void rethrow_failure() {
  if (failure.empty()) return;
  const sanitizer::Ignore ignore;
  throw Failure(std::exchange(failure, ""));
}

void run_grid(const Launch& launch, const std::function<void()>& body) {
  const sanitizer::Ignore
      ignore;  // the scheduler's own memory; the kernel's threads are contexts of their own
  struct Scope {
    explicit Scope(const Launch& now) { running().launch = &now; }
    ~Scope() { running() = {}; }
  } scope(launch);
  running_body = &body;
  gridDim = launch.grid;
  blockDim = launch.block;
  std::minstd_rand& random = runtime().random;

  const std::size_t count = std::size_t{launch.grid.x} * launch.grid.y * launch.grid.z;
  std::vector<std::size_t> order(count);
  for (std::size_t i = 0; i < count; ++i)
    order[i] = config().order == Config::Order::kReverse ? count - 1 - i : i;
  if (config().order == Config::Order::kRandom) std::shuffle(order.begin(), order.end(), random);

  std::vector<std::unique_ptr<Block>> blocks(launch.cooperative ? count : 1);
  for (auto& block : blocks) block = std::make_unique<Block>(launch.block);
  std::vector<Block*> alive;
  for (const std::size_t number : order) {
    Block& block = *blocks[alive.size()];
    const auto i = static_cast<unsigned>(number);
    sanitizer::release(&launch_begin);
    block.begin({i % launch.grid.x, i / launch.grid.x % launch.grid.y, i / launch.grid.x / launch.grid.y},
                launch.dynamic_shared, launch.shared_limit);
    alive.push_back(&block);
    if (alive.size() < blocks.size()) continue;
    run_blocks(alive, random);
    runtime().memory.check_margins();
    for (Block* done : alive) done->end();
    alive.clear();
  }
  sanitizer::acquire(&launch_end);
  Statistics& statistics = runtime().statistics;
  ++statistics.kernels;
  statistics.blocks += static_cast<std::int64_t>(count);
  statistics.threads += static_cast<std::int64_t>(count) * launch.block.x * launch.block.y * launch.block.z;
}

std::string running_place() {
  const Running& now = running();
  std::string text;
  if (now.launch != nullptr) text += std::string("kernel ") + now.launch->name + ": ";
  if (now.thread != nullptr) text += now.block->name(*now.thread) + ": ";
  return text;
}

namespace {
Running& running_or_fail(const char* what) {
  if (running().thread == nullptr) fail("%s outside a kernel", what);
  return running();
}
}  // namespace

void block_barrier(BarrierRequest& request) {
  const Running now = running_or_fail("__syncthreads");
  now.block->barrier(*now.thread, request);
}

void warp_operation(WarpRequest& request) {
  const Running now = running_or_fail("an operation of a warp");
  now.block->warp_operation(*now.thread, request);
}

std::uint32_t active_mask() {
  const Running now = running_or_fail("__activemask");
  return now.block->active_mask(*now.thread);
}

void* shared_memory(const SharedArray& array, std::size_t bytes, std::size_t alignment) {
  const sanitizer::Ignore ignore;
  return running_or_fail("shared memory").block->shared().array(array.number, bytes, alignment);
}

void* dynamic_shared_memory() { return running_or_fail("dynamic shared memory").block->shared().dynamic(); }

SharedArray::SharedArray() {
  static std::size_t next = 0;  // under the runtime's lock, as every kernel runs
  number = next++;
}

void yield(const Place& place, bool progress) {
  Thread& thread = *running_or_fail("__nanosleep").thread;
  thread.place = place;
  thread.state = progress ? Thread::State::kReady : Thread::State::kSpinning;
  Fiber::suspend();
}

void before_atomic(const volatile void* address) {
  Thread* thread = running().thread;
  if (thread == nullptr || !sanitizer::thread()) return;
  const sanitizer::Ignore ignore;
  if (thread->fenced) sanitizer::release(const_cast<const void*>(address));
  if (std::find(thread->touched.begin(), thread->touched.end(), address) == thread->touched.end()) {
    thread->touched.push_back(address);
  }
}

void after_atomic(bool changed) {
  Thread* thread = running().thread;
  if (thread == nullptr) return;
  thread->atomics = changed ? 0 : thread->atomics + 1;
  if (thread->atomics > kAtomicsInARow) yield({"a loop of atomic operations", 0}, false);
}

// A fence orders through the atomics round it: what is before a fence, before what is after another thread's
// fence if that thread's atomic, before its fence, follows one of ours, after our fence.
void fence() {
  Thread* thread = running().thread;
  if (thread == nullptr || !sanitizer::thread()) return;
  const sanitizer::Ignore ignore;
  for (const volatile void* address : thread->touched) sanitizer::acquire(const_cast<const void*>(address));
  thread->touched.clear();
  thread->fenced = true;
}

}  // namespace warpfit::emulation
