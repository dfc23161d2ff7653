#include "host/cpu/optimizer.hpp"

#include <array>
#include <span>

#include "host/backend/optimizer_formula.hpp"
#include "host/cpu/simd.hpp"

namespace warpfit::cpu {
namespace {

// The moments that are kept, known at compile time.
template <bool... kKept>
struct Kept {
  static constexpr bool has(std::size_t moment) { return std::array{kKept...}[moment]; }
};

// This pass is bound by division and square root, not by memory. Updating each tile of a gradient while it is
// still in the cache takes as long.
template <class Kept, class Rule>
void update_all(ThreadPool& pool, const Rule& given, const OptimizerViews& views, float rate,
                std::int64_t step) {
  const auto made = step_constants_of(given, rate, step, views.progress->scalar);
  float* w = views.parameters.data();
  const float* g = views.gradients.data();
  float* m = views.moments[0].data();
  float* v = views.moments[1].data();
  float* third = views.moments[2].data();
  const auto update_part = [=](std::int64_t first, std::int64_t end) {
    vectorized([=] {
      const auto rule = given;  // a copy, which stores into the arrays cannot change
      const auto constants = made;
#pragma omp simd
      for (std::int64_t i = first; i < end; ++i) {
        Element e{w[i], g[i]};
        if constexpr (Kept::has(0)) e.m = m[i];
        if constexpr (Kept::has(1)) e.v = v[i];
        if constexpr (Kept::has(2)) e.third = third[i];
        update(rule, constants, Kept{}, e);
        w[i] = e.w;
        if constexpr (Kept::has(0)) m[i] = e.m;
        if constexpr (Kept::has(1)) v[i] = e.v;
        if constexpr (Kept::has(2)) third[i] = e.third;
      }
    });
  };
  const ParameterRange all{0, static_cast<std::int64_t>(views.parameters.size())};
  for (const auto& range : views.ranges.empty() ? std::span(&all, 1) : views.ranges) {
    pool.split(range.size, kMinElements, [&](std::int64_t first, std::int64_t end) {
      update_part(range.first + first, range.first + end);
    });
  }
  views.progress->scalar = next_scalar(made, views.progress->scalar);
}

template <class Rule, bool... kKept>
void update_kept(ThreadPool& pool, const Rule& rule, const OptimizerViews& views, float rate,
                 std::int64_t step) {
  constexpr std::size_t kMoment = sizeof...(kKept);
  if constexpr (kMoment == kMaxMoments) {
    update_all<Kept<kKept...>>(pool, rule, views, rate, step);
  } else if constexpr (Rule::kMoments[kMoment] != MomentUse::kSometimes) {
    update_kept<Rule, kKept..., Rule::kMoments[kMoment] == MomentUse::kAlways>(pool, rule, views, rate, step);
  } else if (views.moments[kMoment].empty()) {
    update_kept<Rule, kKept..., false>(pool, rule, views, rate, step);
  } else {
    update_kept<Rule, kKept..., true>(pool, rule, views, rate, step);
  }
}

}  // namespace

void optimizer_update(ThreadPool& pool, const Optimizer& optimizer, const OptimizerViews& views, float rate) {
  rate *= views.rate_factor;
  const std::int64_t step = ++views.progress->steps;
  std::visit([&](const auto& rule) { update_kept(pool, rule, views, rate, step); }, optimizer);
}

}  // namespace warpfit::cpu
