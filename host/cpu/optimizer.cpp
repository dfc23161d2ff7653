#include "host/cpu/optimizer.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace warpfit::cpu {
namespace {

// Each takes one parameter w with its gradient g and its moments a step further; those that are not kept are
// not touched. PyTorch's order of operations.

struct SgdStep {
  Sgd sgd;
  float rate;
  bool first;

  void operator()(float& w, float g, float& m, float&, float&) const {
    g += sgd.weight_decay * w;
    if (sgd.momentum != 0) {
      m = first ? g : sgd.momentum * m + (1 - sgd.dampening) * g;
      g = sgd.nesterov ? g + sgd.momentum * m : m;
    }
    w -= rate * g;
  }
};

struct AdamStep {
  Adam adam;
  float beta1, beta2, rest1, rest2, keep, step_size, root_correction;

  void operator()(float& w, float g, float& m, float& v, float& largest) const {
    if (adam.decoupled) {
      w *= keep;
    } else {
      g += adam.weight_decay * w;
    }
    m = beta1 * m + rest1 * g;
    v = beta2 * v + rest2 * g * g;
    if (adam.amsgrad && !(v <= largest)) largest = v;  // unlike std::max, it keeps a NaN
    const float root = std::sqrt(adam.amsgrad ? largest : v);
    w -= step_size * (m / (root / root_correction + adam.eps));
  }
};

struct RmspropStep {
  Rmsprop rmsprop;
  float rate;

  void operator()(float& w, float g, float& m, float& v, float& mean) const {
    g += rmsprop.weight_decay * w;
    v = rmsprop.alpha * v + (1 - rmsprop.alpha) * g * g;
    float square = v;
    if (rmsprop.centered) {
      mean = rmsprop.alpha * mean + (1 - rmsprop.alpha) * g;
      square -= mean * mean;
    }
    float d = g / (std::sqrt(square) + rmsprop.eps);
    if (rmsprop.momentum != 0) d = m = rmsprop.momentum * m + d;
    w -= rate * d;
  }
};

struct AdagradStep {
  Adagrad adagrad;
  float rate;

  void operator()(float& w, float g, float&, float& v, float&) const {
    g += adagrad.weight_decay * w;
    v += g * g;
    w -= rate * (g / (std::sqrt(v) + adagrad.eps));
  }
};

SgdStep step_of(const Sgd& sgd, float rate, std::int64_t step) { return {sgd, rate, step == 1}; }

AdamStep step_of(const Adam& adam, float rate, std::int64_t step) {
  const auto power = static_cast<double>(step);
  return {adam,
          static_cast<float>(adam.beta1),
          static_cast<float>(adam.beta2),
          static_cast<float>(1 - adam.beta1),
          static_cast<float>(1 - adam.beta2),
          1 - rate * adam.weight_decay,
          static_cast<float>(rate / (1 - std::pow(adam.beta1, power))),
          static_cast<float>(std::sqrt(1 - std::pow(adam.beta2, power)))};
}

RmspropStep step_of(const Rmsprop& rmsprop, float rate, std::int64_t) { return {rmsprop, rate}; }
AdagradStep step_of(const Adagrad& adagrad, float rate, std::int64_t) { return {adagrad, rate}; }

// In blocks, whose every moment has a place, so that the loop over them is one of vectors.
template <class Step>
void update(ThreadPool& pool, const Step& step, const OptimizerViews& views) {
  constexpr std::int64_t kBlock = 1024;
  const auto size = static_cast<std::int64_t>(views.parameters.size());
  const auto update_block = [&](std::int64_t block) {
    const std::int64_t first = block * kBlock;
    std::array<float, kBlock> unused{};
    const auto place = [&](const Vector& moment) {
      return moment.empty() ? unused.data() : moment.data() + first;
    };
    float* w = views.parameters.data() + first;
    const float* g = views.gradients.data() + first;
    float* m = place(views.moments[0]);
    float* v = place(views.moments[1]);
    float* third = place(views.moments[2]);
    const std::int64_t count = std::min(kBlock, size - first);
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) step(w[i], g[i], m[i], v[i], third[i]);
  };
  pool.split((size + kBlock - 1) / kBlock, kLeastElements / kBlock,
             [&](std::int64_t first, std::int64_t end) {
               for (std::int64_t block = first; block < end; ++block) update_block(block);
             });
}

}  // namespace

void optimizer_update(ThreadPool& pool, const Optimizer& optimizer, const OptimizerViews& views, float rate) {
  const std::int64_t step = ++views.progress->steps;
  std::visit([&](const auto& rule) { update(pool, step_of(rule, rate, step), views); }, optimizer);
}

}  // namespace warpfit::cpu
