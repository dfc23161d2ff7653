// Volatile accesses under ThreadSanitizer. On a GPU they behave like relaxed atomics, so they are no data
// races here either, and fences order them. Called by kernels that are compiled with instrumentation that
// distinguishes volatile accesses.
#include <cstddef>

#include "tests/emulation/device_runtime.hpp"

// ThreadSanitizer's own functions.
extern "C" {
unsigned char __tsan_atomic8_fetch_add(volatile void* address, unsigned char value, int order)
    __attribute__((weak));
unsigned short __tsan_atomic16_fetch_add(volatile void* address, unsigned short value, int order)
    __attribute__((weak));
unsigned __tsan_atomic32_fetch_add(volatile void* address, unsigned value, int order) __attribute__((weak));
unsigned long __tsan_atomic64_fetch_add(volatile void* address, unsigned long value, int order)
    __attribute__((weak));
unsigned char __tsan_atomic8_load(const volatile void* address, int order) __attribute__((weak));
unsigned short __tsan_atomic16_load(const volatile void* address, int order) __attribute__((weak));
unsigned __tsan_atomic32_load(const volatile void* address, int order) __attribute__((weak));
unsigned long __tsan_atomic64_load(const volatile void* address, int order) __attribute__((weak));
}

namespace {

constexpr int kRelaxed = 0;

void load(const volatile void* address, std::size_t bytes) {
  warpfit::emulation::before_atomic(address);
  if (bytes == 1) __tsan_atomic8_load(address, kRelaxed);
  if (bytes == 2) __tsan_atomic16_load(address, kRelaxed);
  if (bytes == 4) __tsan_atomic32_load(address, kRelaxed);
  if (bytes >= 8) __tsan_atomic64_load(address, kRelaxed);
}

/// Called before the store itself; ThreadSanitizer sees it as an atomic addition of zero.
void store(volatile void* address, std::size_t bytes) {
  warpfit::emulation::before_atomic(address);
  if (bytes == 1) __tsan_atomic8_fetch_add(address, 0, kRelaxed);
  if (bytes == 2) __tsan_atomic16_fetch_add(address, 0, kRelaxed);
  if (bytes == 4) __tsan_atomic32_fetch_add(address, 0, kRelaxed);
  if (bytes >= 8) __tsan_atomic64_fetch_add(address, 0, kRelaxed);
}

}  // namespace

extern "C" {
void __tsan_volatile_read1(void* address) { load(address, 1); }
void __tsan_volatile_read2(void* address) { load(address, 2); }
void __tsan_volatile_read4(void* address) { load(address, 4); }
void __tsan_volatile_read8(void* address) { load(address, 8); }
void __tsan_volatile_read16(void* address) { load(address, 16); }
void __tsan_volatile_write1(void* address) { store(address, 1); }
void __tsan_volatile_write2(void* address) { store(address, 2); }
void __tsan_volatile_write4(void* address) { store(address, 4); }
void __tsan_volatile_write8(void* address) { store(address, 8); }
void __tsan_volatile_write16(void* address) { store(address, 16); }
}
