// Measures the machine's peak fp32 rate: the GFLOP/s that N threads reach with fused multiply-adds whose
// operands stay in registers. `compare` divides the FLOP of an epoch by it, which gives a lower bound for the
// time of a trainer that multiplies matrices with these instructions (AMX is faster).
//
//   fma_peak [--threads N] [--repeats R] [--ms M] [--isa NAME]
//
// One JSON line: threads, isa, chains (independent accumulators), repeats, gflops (the best repeat) and
// gflops_median. The vector width is chosen at run time, so the file needs no -march flag. It needs -O1 or
// more, otherwise the accumulators are in memory: "optimized" says whether it was optimized. An FMA counts as
// two FLOP per lane.
//
// Each kernel runs x = x * m + c with m = -1 and c = 1, which alternates between x and 1 - x: no value grows,
// becomes denormal or converges. m and c are read from volatiles, so the compiler cannot fold anything. 12 or
// more chains cover a latency of 4 on two ports (8 in flight); with 16 registers, more chains would spill.
// The accumulators are elements of an array that is indexed only by constants (a pack expansion, no loop):
// compilers keep such an array in registers, but spill one that a loop indexes.

#include <algorithm>
#include <array>
#include <barrier>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

namespace {

using Clock = std::chrono::steady_clock;

// Runs `rounds` rounds of one FMA per chain and returns a value that depends on all of them.
using KernelFunction = float (*)(std::uint64_t rounds, float m, float c);

struct Kernel {
  std::string_view isa;
  int lanes;
  int chains;
  bool supported;
  KernelFunction run;

  double flop(std::uint64_t rounds) const { return 2.0 * lanes * chains * static_cast<double>(rounds); }
};

constexpr float start_value(std::size_t chain) { return 0.25F + 0.01F * static_cast<float>(chain); }

template <std::size_t N>
float total(const std::array<float, N>& lanes) {
  float sum = 0;
  for (const float lane : lanes) sum += lane;
  return sum;
}

#if defined(__x86_64__)

template <std::size_t... I>
[[gnu::noinline, gnu::target("avx512f")]] float chains_avx512(std::index_sequence<I...>, std::uint64_t rounds,
                                                              float m, float c) {
  __m512 x[] = {_mm512_set1_ps(start_value(I))...};
  const __m512 vm = _mm512_set1_ps(m);
  const __m512 vc = _mm512_set1_ps(c);
  for (; rounds > 0; --rounds) ((x[I] = _mm512_fmadd_ps(x[I], vm, vc)), ...);
  __m512 sum = _mm512_setzero_ps();
  ((sum = _mm512_add_ps(sum, x[I])), ...);
  std::array<float, 16> lanes;
  _mm512_storeu_ps(lanes.data(), sum);
  return total(lanes);
}

template <std::size_t... I>
[[gnu::noinline, gnu::target("avx2,fma")]] float chains_avx2(std::index_sequence<I...>, std::uint64_t rounds,
                                                             float m, float c) {
  __m256 x[] = {_mm256_set1_ps(start_value(I))...};
  const __m256 vm = _mm256_set1_ps(m);
  const __m256 vc = _mm256_set1_ps(c);
  for (; rounds > 0; --rounds) ((x[I] = _mm256_fmadd_ps(x[I], vm, vc)), ...);
  __m256 sum = _mm256_setzero_ps();
  ((sum = _mm256_add_ps(sum, x[I])), ...);
  std::array<float, 8> lanes;
  _mm256_storeu_ps(lanes.data(), sum);
  return total(lanes);
}

// The baseline instruction set has no FMA: a multiplication and an addition, as a baseline trainer would use.
template <std::size_t... I>
[[gnu::noinline]] float chains_sse2(std::index_sequence<I...>, std::uint64_t rounds, float m, float c) {
  __m128 x[] = {_mm_set1_ps(start_value(I))...};
  const __m128 vm = _mm_set1_ps(m);
  const __m128 vc = _mm_set1_ps(c);
  for (; rounds > 0; --rounds) ((x[I] = _mm_add_ps(_mm_mul_ps(x[I], vm), vc)), ...);
  __m128 sum = _mm_setzero_ps();
  ((sum = _mm_add_ps(sum, x[I])), ...);
  std::array<float, 4> lanes;
  _mm_storeu_ps(lanes.data(), sum);
  return total(lanes);
}

// The widest first.
std::vector<Kernel> kernels() {
  __builtin_cpu_init();
  const bool avx512 = __builtin_cpu_supports("avx512f") != 0;
  const bool avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  using C24 = std::make_index_sequence<24>;
  using C12 = std::make_index_sequence<12>;
  return {
      {"avx512", 16, 24, avx512,
       [](std::uint64_t n, float m, float c) { return chains_avx512(C24{}, n, m, c); }},
      {"avx2", 8, 12, avx2, [](std::uint64_t n, float m, float c) { return chains_avx2(C12{}, n, m, c); }},
      {"sse2", 4, 12, true, [](std::uint64_t n, float m, float c) { return chains_sse2(C12{}, n, m, c); }},
  };
}

#elif defined(__aarch64__)

// 24 chains: four pipes of latency 4 need 16.
template <std::size_t... I>
[[gnu::noinline]] float chains_neon(std::index_sequence<I...>, std::uint64_t rounds, float m, float c) {
  // vfmaq adds to its first operand: x + m * c, then x - m * c, so `rounds` is even.
  float32x4_t x[] = {vdupq_n_f32(start_value(I))...};
  const float32x4_t vm = vdupq_n_f32(m);
  const float32x4_t vc[] = {vdupq_n_f32(c), vdupq_n_f32(-c)};
  for (; rounds > 0; rounds -= 2) {
    ((x[I] = vfmaq_f32(x[I], vm, vc[0])), ...);
    ((x[I] = vfmaq_f32(x[I], vm, vc[1])), ...);
  }
  float32x4_t sum = vdupq_n_f32(0);
  ((sum = vaddq_f32(sum, x[I])), ...);
  std::array<float, 4> lanes;
  vst1q_f32(lanes.data(), sum);
  return total(lanes);
}

std::vector<Kernel> kernels() {
  using C24 = std::make_index_sequence<24>;
  return {
      {"neon", 4, 24, true, [](std::uint64_t n, float m, float c) { return chains_neon(C24{}, n, m, c); }}};
}

#else

template <std::size_t... I>
[[gnu::noinline]] float chains_scalar(std::index_sequence<I...>, std::uint64_t rounds, float m, float c) {
  float x[] = {start_value(I)...};
  for (; rounds > 0; --rounds) ((x[I] = x[I] * m + c), ...);
  return (x[I] + ...);
}

std::vector<Kernel> kernels() {
  using C12 = std::make_index_sequence<12>;
  return {{"scalar", 1, 12, true,
           [](std::uint64_t n, float m, float c) { return chains_scalar(C12{}, n, m, c); }}};
}

#endif

struct Options {
  int threads = 0;
  int repeats = 7;
  int milliseconds = 150;
  std::string_view isa;  // empty: the widest available
};

// The CPUs that this process may use, from its affinity mask.
int usable_cores() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

int positive_number(std::string_view flag, std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1 || value > 100000)
    throw std::invalid_argument(std::string(flag) + " wants a whole number from 1 to 100000, not '" +
                                std::string(text) + "'");
  return value;
}

Options parse(const std::vector<std::string_view>& arguments) {
  Options options;
  options.threads = usable_cores();
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    const std::string_view flag = arguments[i];
    if (i + 1 == arguments.size())
      throw std::invalid_argument("usage: fma_peak [--threads N] [--repeats R] [--ms M] [--isa NAME]");
    const std::string_view value = arguments[i + 1];
    if (flag == "--threads")
      options.threads = positive_number(flag, value);
    else if (flag == "--repeats")
      options.repeats = positive_number(flag, value);
    else if (flag == "--ms")
      options.milliseconds = positive_number(flag, value);
    else if (flag == "--isa")
      options.isa = value;
    else
      throw std::invalid_argument("unknown option " + std::string(flag));
  }
  return options;
}

Kernel choose(std::string_view isa) {
  std::string known;
  for (const Kernel& kernel : kernels()) {
    if (kernel.supported && (isa.empty() || isa == kernel.isa)) return kernel;
    if (kernel.supported) known.append(" ").append(kernel.isa);
  }
  throw std::invalid_argument("this machine does not run --isa " + std::string(isa) + "; it runs:" + known);
}

void run(const Kernel& kernel, std::uint64_t rounds) {
  const volatile float m = -1.0F;
  const volatile float c = 1.0F;
  const volatile float result = kernel.run(rounds, m, c);
  static_cast<void>(result);
}

double seconds_between(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

// The number of rounds for one repeat of the requested duration. The runs that determine it also let the wide
// vector units and the clock reach full speed.
std::uint64_t rounds_for(const Kernel& kernel, int milliseconds) {
  for (std::uint64_t rounds = 1024;; rounds *= 2) {
    const auto begin = Clock::now();
    run(kernel, rounds);
    const double seconds = seconds_between(begin, Clock::now());
    if (seconds > 0.02)
      return 2 * (1 + static_cast<std::uint64_t>(static_cast<double>(rounds) * milliseconds / 2e3 / seconds));
  }
}

// GFLOP/s of all threads together, from the start of the first thread to the end of the last.
double measure(const Kernel& kernel, int threads, std::uint64_t rounds) {
  const auto count = static_cast<std::size_t>(threads);
  std::vector<Clock::time_point> begins(count);
  std::vector<Clock::time_point> ends(count);
  std::barrier start(threads);
  const auto work = [&](std::size_t index) {
    start.arrive_and_wait();
    begins[index] = Clock::now();
    run(kernel, rounds);
    ends[index] = Clock::now();
  };
  std::vector<std::jthread> workers;
  for (std::size_t i = 1; i < count; ++i) workers.emplace_back(work, i);
  work(0);
  workers.clear();  // joins
  const double seconds = seconds_between(std::ranges::min(begins), std::ranges::max(ends));
  return kernel.flop(rounds) * threads / seconds * 1e-9;
}

void report(const Options& options) {
  const Kernel kernel = choose(options.isa);
  const std::uint64_t rounds = rounds_for(kernel, options.milliseconds);
  std::vector<double> rates;
  for (int i = 0; i < options.repeats; ++i) rates.push_back(measure(kernel, options.threads, rounds));
  std::ranges::sort(rates);
#if defined(__OPTIMIZE__)
  const char* const optimized = "true";
#else
  const char* const optimized = "false";
#endif
  std::printf(
      "{\"threads\": %d, \"isa\": \"%s\", \"chains\": %d, \"repeats\": %d, \"gflops\": %.1f, "
      "\"gflops_median\": %.1f, \"optimized\": %s}\n",
      options.threads, std::string(kernel.isa).c_str(), kernel.chains, options.repeats, rates.back(),
      rates[rates.size() / 2], optimized);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    report(parse({argv + 1, argv + argc}));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fma_peak: %s\n", error.what());
    return 2;
  }
}
