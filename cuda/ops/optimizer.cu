// A step of SGD with momentum, Adam, RMSprop or Adagrad (formulas: host/backend/optimizer.hpp): one pass over
// parameters, gradients and moments, bound by memory. The number of the step is counted on the device, so
// that a recorded update can be replayed.
#include <cmath>

#include "cuda/device/kernel.cuh"
#include "cuda/device/reduce.cuh"
#include "cuda/ops/optimizer.hpp"
#include "cuda/runtime/launch.hpp"

namespace warpfit::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kVector = 4;

/// One parameter: what it was, becomes in registers what it will be.
struct Element {
  float w, g, moments[kMostMoments];
};

struct Moments {
  float* data[kMostMoments];  ///< null where it is not kept
};

/// What a step has in common for all parameters; only Adam takes more than the rate.
struct Factors {
  float rate;
  float root_correction;
  float keep;  ///< what AdamW's decay leaves of a parameter
  bool first;
};

__device__ Factors factors_of(const Adam& adam, float rate, std::int64_t step) {
  const auto power = static_cast<double>(step);
  return {static_cast<float>(rate / (1 - pow(adam.beta1, power))),
          static_cast<float>(sqrt(1 - pow(adam.beta2, power))), 1 - rate * adam.weight_decay, step == 1};
}
template <class Rule>
__device__ Factors factors_of(const Rule&, float rate, std::int64_t step) {
  return {rate, 1, 1, step == 1};
}

__device__ void step(const Sgd& sgd, const Factors& factors, Element& e) {
  float g = e.g + sgd.weight_decay * e.w;
  if (sgd.momentum != 0) {
    float& m = e.moments[0];
    m = factors.first ? g : sgd.momentum * m + (1 - sgd.dampening) * g;
    g = sgd.nesterov ? g + sgd.momentum * m : m;
  }
  e.w -= factors.rate * g;
}

__device__ void step(const Adam& adam, const Factors& factors, Element& e) {
  float g = e.g;
  if (adam.decoupled) {
    e.w *= factors.keep;
  } else {
    g += adam.weight_decay * e.w;
  }
  float& m = e.moments[0];
  float& v = e.moments[1];
  m = static_cast<float>(adam.beta1) * m + static_cast<float>(1 - adam.beta1) * g;
  v = static_cast<float>(adam.beta2) * v + static_cast<float>(1 - adam.beta2) * g * g;
  if (adam.amsgrad && !(v <= e.moments[2])) e.moments[2] = v;  // unlike fmaxf, it keeps a NaN
  const float root = sqrtf(adam.amsgrad ? e.moments[2] : v);
  e.w -= factors.rate * (m / (root / factors.root_correction + adam.eps));
}

__device__ void step(const Rmsprop& rmsprop, const Factors& factors, Element& e) {
  const float g = e.g + rmsprop.weight_decay * e.w;
  float& v = e.moments[1];
  v = rmsprop.alpha * v + (1 - rmsprop.alpha) * g * g;
  float square = v;
  if (rmsprop.centered) {
    float& mean = e.moments[2];
    mean = rmsprop.alpha * mean + (1 - rmsprop.alpha) * g;
    square -= mean * mean;
  }
  float d = g / (sqrtf(square) + rmsprop.eps);
  if (rmsprop.momentum != 0) d = e.moments[0] = rmsprop.momentum * e.moments[0] + d;
  e.w -= factors.rate * d;
}

__device__ void step(const Adagrad& adagrad, const Factors& factors, Element& e) {
  const float g = e.g + adagrad.weight_decay * e.w;
  e.moments[1] += g * g;
  e.w -= factors.rate * (g / (sqrtf(e.moments[1]) + adagrad.eps));
}

/// Four neighbours, sixteen bytes an access.
template <class Rule>
__device__ void step_quad(const Rule& rule, const Factors& factors, float* w, const float* g,
                          const Moments& moments, std::int64_t quad) {
  Element e[kVector] = {};
  const auto load = [&](const float* from, auto field) {
    const float4 four = reinterpret_cast<const float4*>(from)[quad];
    field(e[0]) = four.x;
    field(e[1]) = four.y;
    field(e[2]) = four.z;
    field(e[3]) = four.w;
  };
  const auto store = [&](float* to, auto field) {
    reinterpret_cast<float4*>(to)[quad] = make_float4(field(e[0]), field(e[1]), field(e[2]), field(e[3]));
  };
  load(w, [](Element& one) -> float& { return one.w; });
  load(g, [](Element& one) -> float& { return one.g; });
#pragma unroll
  for (std::size_t k = 0; k < kMostMoments; ++k) {
    if (moments.data[k] != nullptr)
      load(moments.data[k], [k](Element& one) -> float& { return one.moments[k]; });
  }
#pragma unroll
  for (Element& one : e) step(rule, factors, one);
  store(w, [](Element& one) { return one.w; });
#pragma unroll
  for (std::size_t k = 0; k < kMostMoments; ++k) {
    if (moments.data[k] != nullptr) store(moments.data[k], [k](Element& one) { return one.moments[k]; });
  }
}

template <class Rule>
__device__ void step_one(const Rule& rule, const Factors& factors, float* w, const float* g,
                         const Moments& moments, std::int64_t i) {
  Element e{w[i], g[i], {}};
#pragma unroll
  for (std::size_t k = 0; k < kMostMoments; ++k) {
    if (moments.data[k] != nullptr) e.moments[k] = moments.data[k][i];
  }
  step(rule, factors, e);
  w[i] = e.w;
#pragma unroll
  for (std::size_t k = 0; k < kMostMoments; ++k) {
    if (moments.data[k] != nullptr) moments.data[k][i] = e.moments[k];
  }
}

__device__ bool in_fours(const float* w, const float* g, const Moments& moments) {
  auto bits = reinterpret_cast<std::uintptr_t>(w) | reinterpret_cast<std::uintptr_t>(g);
  for (const float* moment : moments.data) bits |= reinterpret_cast<std::uintptr_t>(moment);
  return bits % sizeof(float4) == 0;
}

template <class Rule>
__global__ void __launch_bounds__(kThreads)
    optimizer_update_kernel(Rule rule, float* w, const float* __restrict__ g, Moments moments,
                            const float* rate, OptimizerProgress* progress, std::int64_t size) {
  SHARED_ARRAY(Factors, shared, 1);
  const std::int64_t number = progress->steps + 1;
  if (threadIdx.x == 0) shared[0] = factors_of(rule, *rate, number);
  __syncthreads();
  const Factors factors = shared[0];
  const std::int64_t first = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  const std::int64_t fours = in_fours(w, g, moments) ? size / kVector : 0;
  for (std::int64_t i = first; i < fours; i += stride) step_quad(rule, factors, w, g, moments, i);
  for (std::int64_t i = fours * kVector + first; i < size; i += stride)
    step_one(rule, factors, w, g, moments, i);
  // The last block of all: every block has read the number.
  if (is_last_block(&progress->arrived) && threadIdx.x == 0) progress->steps = number;
}

}  // namespace

void optimizer_update(const Optimizer& optimizer, const OptimizerViews& views, const float* rate,
                      cudaStream_t stream) {
  const auto size = static_cast<std::int64_t>(views.parameters.size());
  Moments moments{};
  for (std::size_t k = 0; k < kMostMoments; ++k) moments.data[k] = views.moments[k].data();
  std::visit(
      [&]<class Rule>(const Rule& rule) {
        launch(optimizer_update_kernel<Rule>,
               {blocks_for((size + kVector - 1) / kVector, kThreads, 4096), kThreads}, stream, rule,
               views.parameters.data(), views.gradients.data(), moments, rate, views.progress, size);
      },
      optimizer);
}

}  // namespace warpfit::cuda
