// Element-wise loops compiled for several x86 instruction sets; the best one of the processor is selected at
// run time. Nothing is contracted to FMA, so all instruction sets give the same bits as long as a loop fixes
// the order of its sums. These are ordinary calls, not ifuncs, because ifunc resolvers run before the runtime
// of a sanitizer.
#pragma once

#include <atomic>

namespace warpfit::cpu {

/// In ascending order. Processors other than x86 have only the baseline.
enum class SimdLevel { kBaseline, kAvx2, kAvx512 };

/// The highest level that this processor and operating system support.
inline SimdLevel best_simd_level() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return SimdLevel::kAvx512;
  }
  if (__builtin_cpu_supports("avx2")) return SimdLevel::kAvx2;
#endif
  return SimdLevel::kBaseline;
}

/// The level in use. Tests lower it to compare levels; it must not exceed best_simd_level().
inline std::atomic<SimdLevel>& simd_level() {
  static std::atomic<SimdLevel> level = best_simd_level();
  return level;
}

#ifdef __x86_64__
namespace simd {

// `flatten` inlines the loop, which is then compiled for the instruction set of the function. The target is
// given as features, not as arch=x86-64-v3, because GCC inlines nothing into a function of another
// architecture.
template <class Loop>
__attribute__((target("avx2"), flatten)) void run_avx2(const Loop& loop) {
  loop();
}

#ifdef __clang__
#define WARPFIT_AVX512 "avx2,avx512f,avx512bw,avx512dq,avx512vl"
#else
#define WARPFIT_AVX512 "avx2,avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512"
#endif
template <class Loop>
__attribute__((target(WARPFIT_AVX512), flatten)) void run_avx512(const Loop& loop) {
  loop();
}
#undef WARPFIT_AVX512

}  // namespace simd
#endif

/// Runs loop(), compiled for the level in use.
template <class Loop>
void vectorized(const Loop& loop) {
#ifdef __x86_64__
  switch (simd_level().load(std::memory_order_relaxed)) {
    case SimdLevel::kAvx512:
      return simd::run_avx512(loop);
    case SimdLevel::kAvx2:
      return simd::run_avx2(loop);
    case SimdLevel::kBaseline:
      break;
  }
#endif
  loop();
}

}  // namespace warpfit::cpu
