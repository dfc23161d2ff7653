// A block: which of its threads run next, and its barrier.
#include "tests/emulation/block.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <utility>

#include "tests/emulation/device_threads.hpp"
#include "tests/emulation/grid.hpp"
#include "tests/emulation/sanitizer.hpp"

namespace warpfit::emulation {

std::string describe(const SourceLocation& location) {
  const char* slash = std::strrchr(location.file, '/');
  const std::string file = slash != nullptr ? slash + 1 : location.file;
  return location.line > 0 ? file + ":" + std::to_string(location.line) : file;
}

Block::Block(dim3 shape) : threads_(std::size_t{shape.x} * shape.y * shape.z), order_(threads_.size()) {
  for (int i = 0; i < size(); ++i) {
    const auto number = static_cast<unsigned>(i);
    threads_[i].number = i;
    threads_[i].index = {number % shape.x, number / shape.x % shape.y, number / shape.x / shape.y};
  }
  std::iota(order_.begin(), order_.end(), 0);
  if (config().order == Config::Order::kReverse) std::reverse(order_.begin(), order_.end());
  warps_.resize((threads_.size() + 31) / 32);
}

Block::~Block() { end(); }

void Block::begin(uint3 index, std::size_t dynamic_shared, std::size_t shared_limit) {
  index_ = index;
  shared_.begin(dynamic_shared, shared_limit);
  exited_ = 0;
  arrived_ = 0;
  for (const void*& token : barrier_tokens_) token = sanitizer::fresh_token();
  for (Thread& thread : threads_) {
    thread.state = Thread::State::kNotStarted;
    thread.atomics = 0;
    thread.fenced = false;
    thread.atomic_addresses.clear();
    thread.copies.clear();
    thread.groups.clear();
  }
  for (std::size_t w = 0; w < warps_.size(); ++w) {
    warps_[w].begin(&threads_[w * 32], std::min(32, size() - static_cast<int>(w) * 32));
  }
  if (sanitizer::thread()) fibers().reserve(threads_.size());
}

bool Block::run_round(std::minstd_rand& random) {
  if (config().order == Config::Order::kRandom) std::shuffle(order_.begin(), order_.end(), random);
  progress_ = false;
  for (next_ = 0; next_ < order_.size();) {
    Thread& thread = threads_[order_[next_++]];
    if (thread.state <= Thread::State::kSpinning) run(thread);
  }
  return progress_;
}

bool Block::spinning() const {
  return std::any_of(threads_.begin(), threads_.end(),
                     [](const Thread& thread) { return thread.state == Thread::State::kSpinning; });
}

void Block::run(Thread& thread) {
  if (thread.state == Thread::State::kNotStarted) {
    thread.fiber = fibers().take();
    thread.fiber->start(run_threads);
  }
  enter(thread);
  thread.fiber->resume();
  rethrow_failure();
  Thread& last = *running().thread;  // the fiber may have continued with other threads: see reuse_fiber()
  running().thread = nullptr;
  if (last.state == Thread::State::kExited) {
    leave(last);
    if (!sanitizer::thread()) {  // ThreadSanitizer identifies this thread by its fiber until the block ends
      fibers().give_back(last.fiber);
      last.fiber = nullptr;
    }
    return;
  }
  if (last.state == Thread::State::kAtWarp)
    warps_[last.number / 32].perform_completed(last.number % 32, false);
  if (last.state != Thread::State::kSpinning) progress_ = true;
}

void Block::enter(Thread& thread) {
  thread.state = Thread::State::kReady;
  thread.atomics = 0;
  running().block = this;
  running().thread = &thread;
  threadIdx = thread.index;
  blockIdx = index_;
}

void Block::leave(Thread& thread) {
  if (!thread.copies.empty()) {
    fail("%s exits with %zu copies that it has not waited for", name(thread).c_str(), thread.copies.size());
  }
  thread.state = Thread::State::kExited;
  ++exited_;
  progress_ = true;
  warps_[thread.number / 32].perform_completed(thread.number % 32, true);
  release_barrier_if_complete();
}

bool Block::reuse_fiber() {
  if (sanitizer::thread() || next_ >= order_.size()) return false;
  Thread& next = threads_[order_[next_]];
  if (next.state != Thread::State::kNotStarted) return false;
  Thread& done = *running().thread;
  leave(done);
  next.fiber = std::exchange(done.fiber, nullptr);
  ++next_;
  enter(next);
  return true;
}

void Block::end() {
  for (Thread& thread : threads_) {
    if (thread.fiber == nullptr) continue;
    if (thread.state == Thread::State::kExited) {
      fibers().give_back(thread.fiber);
    } else {
      fibers().abandon(thread.fiber);
    }
    thread.fiber = nullptr;
  }
}

void Block::barrier(Thread& thread, BarrierRequest& request) {
  thread.barrier = &request;
  thread.state = Thread::State::kAtBarrier;
  const void* token = barrier_tokens_[barrier_phase_ & 1u];
  sanitizer::release(token);
  ++arrived_;
  release_barrier_if_complete();
  Fiber::suspend();
  sanitizer::acquire(token);
}

void Block::release_barrier_if_complete() {
  if (arrived_ == 0 || arrived_ < size() - exited_) return;
  const Thread* first = nullptr;
  int count = 0;
  for (const Thread& thread : threads_) {
    if (thread.state != Thread::State::kAtBarrier) continue;
    if (first == nullptr) first = &thread;
    const BarrierRequest& a = *first->barrier;
    const BarrierRequest& b = *thread.barrier;
    if (a.kind != b.kind || !(a.location == b.location)) {
      fail("divergent __syncthreads: %s at %s, %s at %s", name(*first).c_str(), describe(a.location).c_str(),
           name(thread).c_str(), describe(b.location).c_str());
    }
    if (b.predicate != 0) ++count;
  }
  if (exited_ > 0) {
    fail("__syncthreads at %s after %d of the block's %d threads have exited",
         describe(first->barrier->location).c_str(), exited_, size());
  }
  for (Thread& thread : threads_) {
    if (thread.state != Thread::State::kAtBarrier) continue;
    const BarrierKind kind = thread.barrier->kind;
    thread.barrier->result = kind == BarrierKind::kCount ? count
                             : kind == BarrierKind::kAnd ? count == size()
                                                         : count > 0;
    thread.state = Thread::State::kReady;
  }
  arrived_ = 0;
  ++barrier_phase_;
}

void Block::warp_operation(Thread& thread, WarpRequest& request) {
  Warp& warp = warps_[thread.number / 32];
  warp.arrive(thread.number % 32, request);
  const void* token = warp.sync_token(request);
  if (token != nullptr) sanitizer::release(token);
  thread.warp = &request;
  thread.state = Thread::State::kAtWarp;
  Fiber::suspend();
  if (token != nullptr) sanitizer::acquire(token);
}

std::string Block::name(const Thread& thread) const {
  const auto triple = [](uint3 i) {
    return "(" + std::to_string(i.x) + "," + std::to_string(i.y) + "," + std::to_string(i.z) + ")";
  };
  return "block " + triple(index_) + " thread " + triple(thread.index);
}

std::string Block::waiting(int& limit) const {
  std::string text;
  for (const Thread& thread : threads_) {
    if (thread.state == Thread::State::kExited || thread.state == Thread::State::kNotStarted || limit-- <= 0)
      continue;
    text += "\n  " + name(thread);
    if (thread.state == Thread::State::kAtBarrier) {
      text += " waits in __syncthreads at " + describe(thread.barrier->location);
    } else if (thread.state == Thread::State::kAtWarp) {
      char mask[32];
      std::snprintf(mask, sizeof mask, " with mask %08x", thread.warp->mask);
      text += " waits in an operation of its warp at " + describe(thread.warp->location) + mask;
    } else {
      text += " waits in a loop at " + describe(thread.location);
    }
  }
  return text;
}

}  // namespace warpfit::emulation
