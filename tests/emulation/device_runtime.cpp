// The functions that a running kernel calls.
#include "tests/emulation/device_runtime.hpp"

#include <algorithm>

#include "tests/emulation/grid.hpp"
#include "tests/emulation/runtime.hpp"
#include "tests/emulation/sanitizer.hpp"

namespace warpfit::emulation {
namespace {

/// After this many consecutive atomic operations that changed nothing, a thread is assumed to wait for
/// another thread.
constexpr int kAtomicsInARow = 64;

const Running& running_or_fail(const char* what) {
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
  static std::size_t next = 0;  // protected by the runtime's lock, which is held while a kernel runs
  number = next++;
}

void yield(const SourceLocation& location, bool progress) {
  Thread& thread = *running_or_fail("__nanosleep").thread;
  thread.location = location;
  thread.state = progress ? Thread::State::kReady : Thread::State::kSpinning;
  Fiber::suspend();
}

void before_atomic(const volatile void* address) {
  Thread* thread = running().thread;
  if (thread == nullptr || !sanitizer::thread()) return;
  const sanitizer::Ignore ignore;
  if (thread->fenced) sanitizer::release(const_cast<const void*>(address));
  if (std::find(thread->atomic_addresses.begin(), thread->atomic_addresses.end(), address) ==
      thread->atomic_addresses.end()) {
    thread->atomic_addresses.push_back(address);
  }
}

void after_atomic(bool changed) {
  Thread* thread = running().thread;
  if (thread == nullptr) return;
  thread->atomics = changed ? 0 : thread->atomics + 1;
  if (thread->atomics > kAtomicsInARow) yield({"a loop of atomic operations", 0}, false);
}

void trap() {
  running_or_fail("__trap");
  throw Trap{};
}

long long device_time() { return runtime().device_time; }

void begin_copy(const AsyncCopy& copy) {
  Thread& thread = *running_or_fail("__pipeline_memcpy_async").thread;
  const bool is_access = copy.bytes == 4 || copy.bytes == 8 || copy.bytes == 16;
  const auto is_aligned = [&](const void* pointer) {
    return reinterpret_cast<std::uintptr_t>(pointer) % copy.bytes == 0;
  };
  if (!is_access || !is_aligned(copy.to) || !is_aligned(copy.from)) {
    fail(
        "__pipeline_memcpy_async of %zu bytes from %p to %p: expected 4, 8 or 16 bytes, and pointers aligned "
        "to them",
        copy.bytes, copy.from, copy.to);
  }
  thread.copies.push_back(copy);
}

void commit_copies() {
  Thread& thread = *running_or_fail("__pipeline_commit").thread;
  std::size_t grouped = 0;
  for (const std::size_t copies : thread.groups) grouped += copies;
  thread.groups.push_back(thread.copies.size() - grouped);
}

bool take_copy(std::size_t keep, AsyncCopy& copy) {
  Thread& thread = *running_or_fail("__pipeline_wait_prior").thread;
  while (thread.groups.size() > keep && thread.groups.front() == 0) thread.groups.pop_front();
  if (thread.groups.size() <= keep) return false;
  copy = thread.copies.front();
  thread.copies.pop_front();
  --thread.groups.front();
  return true;
}

// A fence orders memory together with the atomics around it: accesses before this fence happen before
// accesses after another thread's fence if that thread executes an atomic, before its fence, that follows an
// atomic which this thread executed after this fence.
void fence() {
  Thread* thread = running().thread;
  if (thread == nullptr || !sanitizer::thread()) return;
  const sanitizer::Ignore ignore;
  for (const volatile void* address : thread->atomic_addresses)
    sanitizer::acquire(const_cast<const void*>(address));
  thread->atomic_addresses.clear();
  thread->fenced = true;
}

}  // namespace warpfit::emulation
