#include "host/cpu/optimizer.hpp"

#include <array>
#include <cmath>

#include "host/cpu/simd.hpp"

namespace warpfit::cpu {
namespace {

// Whether an optimizer keeps a moment.
enum Keeps { kNever, kSometimes, kAlways };

// The moments of one parameter. Which are kept is known at compile time.
template <bool kM, bool kV, bool kThird>
struct Moments {
  static constexpr bool kHasM = kM, kHasV = kV, kHasThird = kThird;
  float m = 0, v = 0, third = 0;
};

// Each updates one parameter w with its gradient g and its moments, in PyTorch's order of operations. A
// branch on an option would keep the loop from being vectorized: options are constants or selections.

struct SgdStep {
  static constexpr std::array<Keeps, kMostMoments> kMoments{kSometimes, kNever, kNever};
  Sgd sgd;
  float rate;
  bool first;

  template <class Kept>
  void operator()(float& w, float g, Kept& kept) const {
    g += sgd.weight_decay * w;
    if constexpr (Kept::kHasM) {
      const float mean = sgd.momentum * kept.m + (1 - sgd.dampening) * g;
      kept.m = first ? g : mean;
      const float ahead = g + sgd.momentum * kept.m;
      g = sgd.nesterov ? ahead : kept.m;
    }
    w -= rate * g;
  }
};

struct AdamStep {
  static constexpr std::array<Keeps, kMostMoments> kMoments{kAlways, kAlways, kSometimes};
  float eps, decay, keep;  // decay is 0 if decoupled, else keep is 1
  float beta1, beta2, rest1, rest2, step_size, root_correction;

  template <class Kept>
  void operator()(float& w, float g, Kept& kept) const {
    g += decay * w;
    w *= keep;
    kept.m = beta1 * kept.m + rest1 * g;
    kept.v = beta2 * kept.v + rest2 * g * g;
    float square = kept.v;
    if constexpr (Kept::kHasThird) {
      kept.third = square <= kept.third ? kept.third : square;  // unlike std::max, it keeps a NaN
      square = kept.third;
    }
    w -= step_size * (kept.m / (std::sqrt(square) / root_correction + eps));
  }
};

struct RmspropStep {
  static constexpr std::array<Keeps, kMostMoments> kMoments{kSometimes, kAlways, kSometimes};
  Rmsprop rmsprop;
  float rate;

  template <class Kept>
  void operator()(float& w, float g, Kept& kept) const {
    g += rmsprop.weight_decay * w;
    kept.v = rmsprop.alpha * kept.v + (1 - rmsprop.alpha) * g * g;
    float square = kept.v;
    if constexpr (Kept::kHasThird) {
      kept.third = rmsprop.alpha * kept.third + (1 - rmsprop.alpha) * g;
      square -= kept.third * kept.third;
    }
    float d = g / (std::sqrt(square) + rmsprop.eps);
    if constexpr (Kept::kHasM) d = kept.m = rmsprop.momentum * kept.m + d;
    w -= rate * d;
  }
};

struct AdagradStep {
  static constexpr std::array<Keeps, kMostMoments> kMoments{kNever, kAlways, kNever};
  Adagrad adagrad;
  float rate;

  template <class Kept>
  void operator()(float& w, float g, Kept& kept) const {
    g += adagrad.weight_decay * w;
    kept.v += g * g;
    w -= rate * (g / (std::sqrt(kept.v) + adagrad.eps));
  }
};

SgdStep step_of(const Sgd& sgd, float rate, std::int64_t step) { return {sgd, rate, step == 1}; }

AdamStep step_of(const Adam& adam, float rate, std::int64_t step) {
  const auto power = static_cast<double>(step);
  return {adam.eps,
          adam.decoupled ? 0 : adam.weight_decay,
          adam.decoupled ? 1 - rate * adam.weight_decay : 1,
          static_cast<float>(adam.beta1),
          static_cast<float>(adam.beta2),
          static_cast<float>(1 - adam.beta1),
          static_cast<float>(1 - adam.beta2),
          static_cast<float>(rate / (1 - std::pow(adam.beta1, power))),
          static_cast<float>(std::sqrt(1 - std::pow(adam.beta2, power)))};
}

RmspropStep step_of(const Rmsprop& rmsprop, float rate, std::int64_t) { return {rmsprop, rate}; }
AdagradStep step_of(const Adagrad& adagrad, float rate, std::int64_t) { return {adagrad, rate}; }

// Division and square root bound this pass, not memory: to update each tile of a gradient while the product
// that made it has it in cache takes as long.
template <class Kept, class Step>
void update(ThreadPool& pool, const Step& step, const OptimizerViews& views) {
  float* w = views.parameters.data();
  const float* g = views.gradients.data();
  float* m = views.moments[0].data();
  float* v = views.moments[1].data();
  float* third = views.moments[2].data();
  const auto size = static_cast<std::int64_t>(views.parameters.size());
  pool.split(size, kLeastElements, [&](std::int64_t first, std::int64_t end) {
    vectorized([=] {
      const Step rule = step;  // a copy, which no store into the arrays can change
#pragma omp simd
      for (std::int64_t i = first; i < end; ++i) {
        Kept kept;
        if constexpr (Kept::kHasM) kept.m = m[i];
        if constexpr (Kept::kHasV) kept.v = v[i];
        if constexpr (Kept::kHasThird) kept.third = third[i];
        rule(w[i], g[i], kept);
        if constexpr (Kept::kHasM) m[i] = kept.m;
        if constexpr (Kept::kHasV) v[i] = kept.v;
        if constexpr (Kept::kHasThird) third[i] = kept.third;
      }
    });
  });
}

template <class Step, bool... kKept>
void update_kept(ThreadPool& pool, const Step& step, const OptimizerViews& views) {
  constexpr std::size_t kMoment = sizeof...(kKept);
  if constexpr (kMoment == kMostMoments) {
    update<Moments<kKept...>>(pool, step, views);
  } else if constexpr (Step::kMoments[kMoment] != kSometimes) {
    update_kept<Step, kKept..., Step::kMoments[kMoment] == kAlways>(pool, step, views);
  } else if (views.moments[kMoment].empty()) {
    update_kept<Step, kKept..., false>(pool, step, views);
  } else {
    update_kept<Step, kKept..., true>(pool, step, views);
  }
}

}  // namespace

void optimizer_update(ThreadPool& pool, const Optimizer& optimizer, const OptimizerViews& views, float rate) {
  const std::int64_t step = ++views.progress->steps;
  std::visit([&](const auto& rule) { update_kept(pool, step_of(rule, rate, step), views); }, optimizer);
}

}  // namespace warpfit::cpu
