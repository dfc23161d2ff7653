// The sanitizers' hooks, found through weak symbols. The emulation's own files are compiled without
// sanitizers, so that the sanitizers see only what is reported to them here.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {
void __sanitizer_start_switch_fiber(void** fake_stack, const void* bottom, std::size_t size)
    __attribute__((weak));
void __sanitizer_finish_switch_fiber(void* fake_stack, const void** bottom, std::size_t* size)
    __attribute__((weak));
void __asan_poison_memory_region(const volatile void* start, std::size_t size) __attribute__((weak));
void __asan_unpoison_memory_region(const volatile void* start, std::size_t size) __attribute__((weak));
void* __tsan_create_fiber(unsigned flags) __attribute__((weak));
void __tsan_destroy_fiber(void* fiber) __attribute__((weak));
void* __tsan_get_current_fiber() __attribute__((weak));
void __tsan_switch_to_fiber(void* fiber, unsigned flags) __attribute__((weak));
void __tsan_acquire(void* address) __attribute__((weak));
void __tsan_release(void* address) __attribute__((weak));
void __tsan_read_range(void* address, std::size_t size) __attribute__((weak));
void __tsan_write_range(void* address, std::size_t size) __attribute__((weak));
void AnnotateIgnoreReadsBegin(const char* file, int line) __attribute__((weak));
void AnnotateIgnoreReadsEnd(const char* file, int line) __attribute__((weak));
void AnnotateIgnoreWritesBegin(const char* file, int line) __attribute__((weak));
void AnnotateIgnoreWritesEnd(const char* file, int line) __attribute__((weak));
}

namespace warpfit::emulation::sanitizer {

inline bool thread() { return __tsan_create_fiber != nullptr; }
inline bool address() { return __asan_poison_memory_region != nullptr; }

/// Everything before release(x) happens before everything after a later acquire(x).
inline void release(const void* token) {
  if (thread()) __tsan_release(const_cast<void*>(token));
}
inline void acquire(const void* token) {
  if (thread()) __tsan_acquire(const_cast<void*>(token));
}

/// A token that was not used recently: a block with its own token is not ordered with the blocks before it.
inline const void* fresh_token() {
  static std::uint64_t
      tokens[4096];  // eight bytes, the granularity at which ThreadSanitizer distinguishes addresses
  static unsigned next = 0;
  return &tokens[next++ % 4096];
}

inline void poison(const void* start, std::size_t size) {
  if (address() && size > 0) __asan_poison_memory_region(start, size);
}
inline void unpoison(const void* start, std::size_t size) {
  if (address() && size > 0) __asan_unpoison_memory_region(start, size);
}

/// Reports accesses to ThreadSanitizer that it cannot see (oneDNN).
inline void reads(const void* start, std::size_t size) {
  if (thread()) __tsan_read_range(const_cast<void*>(start), size);
}
inline void writes(void* start, std::size_t size) {
  if (thread()) __tsan_write_range(start, size);
}

/// A thread as ThreadSanitizer sees it, with its own clock: a CUDA thread or a stream.
class Context {
 public:
  Context() : context_(thread() ? __tsan_create_fiber(0) : nullptr) {}
  ~Context() {
    if (context_ != nullptr) __tsan_destroy_fiber(context_);
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  void* get() const { return context_; }

 private:
  void* context_;
};

inline constexpr unsigned kNoOrder = 1;  ///< flag of __tsan_switch_to_fiber

/// Hides accesses to the emulation's own memory: functions of a container may be linked from an instrumented
/// file.
class Ignore {
 public:
  Ignore() {
    if (AnnotateIgnoreReadsBegin == nullptr || !thread()) return;
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~Ignore() {
    if (AnnotateIgnoreReadsBegin == nullptr || !thread()) return;
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  }
  Ignore(const Ignore&) = delete;
  Ignore& operator=(const Ignore&) = delete;
};

}  // namespace warpfit::emulation::sanitizer
