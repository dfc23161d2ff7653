// Runs a launch, and implements the functions that a running kernel calls (device_runtime.hpp).
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

/// Number of consecutive rounds in which all threads only waited after which a deadlock is reported.
constexpr int kPatience = 20000;

const std::function<void()>* running_body = nullptr;
std::string failure;   // of the thread that just ran
bool trapped = false;  // by the thread that just ran

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
  // Tests can configure a block that never runs.
  const auto lost = [many = blocks.size() > 1](const Block& block) {
    return many && static_cast<int>(block.index().x) == config().lost_block;
  };
  while (true) {
    bool progress = false;
    bool spinning = false;
    bool left = false;
    for (Block* block : blocks) {
      if (lost(*block)) {
        left = true;
        continue;
      }
      if (block->finished()) continue;
      progress = block->run_round(random) || progress;
      left = left || !block->finished();
      spinning = spinning || block->spinning();
    }
    if (!left) return;
    waited = progress ? 0 : waited + 1;
    runtime().device_time += progress ? 1'000 : 1'000'000;
    if (!progress && (!spinning || waited > kPatience)) deadlock(blocks);
  }
}

}  // namespace

char launch_begin;
char launch_end;
bool failed = false;

Running running_now;

FiberPool& fibers() {
  static FiberPool pool;
  return pool;
}

void run_threads() {
  sanitizer::acquire(&launch_begin);
  try {
    do {
      (*running_body)();
    } while (running().block->reuse_fiber());
  } catch (const Trap&) {
    failed = trapped = true;
  } catch (const std::exception& thrown) {
    const sanitizer::Ignore ignore;
    failed = true;
    failure = thrown.what();
  }
  sanitizer::release(&launch_end);
  running().thread->state = Thread::State::kExited;
  Fiber::finish();
}

void throw_failure() {
  const sanitizer::Ignore ignore;
  failed = false;
  if (std::exchange(trapped, false)) throw Trap{};
  throw Failure(std::exchange(failure, ""));
}

void run_grid(const Launch& launch, const std::function<void()>& body) {
  const sanitizer::Ignore ignore;  // for the scheduler's own memory; the kernel's threads are not affected
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

std::string running_location() {
  const Running& now = running();
  std::string text;
  if (now.launch != nullptr) text += std::string("kernel ") + now.launch->name + ": ";
  if (now.thread != nullptr) text += now.block->name(*now.thread) + ": ";
  return text;
}

}  // namespace warpfit::emulation
