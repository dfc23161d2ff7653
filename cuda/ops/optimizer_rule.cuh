// One parameter's step of each optimizer (formulas: host/backend/optimizer.hpp).
#pragma once

#include <cmath>

#include "cuda/device/kernel.cuh"
#include "host/backend/optimizer.hpp"

namespace warpfit::cuda {

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

__device__ inline Factors factors_of(const Adam& adam, float rate, std::int64_t step) {
  const auto power = static_cast<double>(step);
  return {static_cast<float>(rate / (1 - pow(adam.beta1, power))),
          static_cast<float>(sqrt(1 - pow(adam.beta2, power))), 1 - rate * adam.weight_decay, step == 1};
}
template <class Rule>
__device__ Factors factors_of(const Rule&, float rate, std::int64_t step) {
  return {rate, 1, 1, step == 1};
}

__device__ inline void step(const Sgd& sgd, const Factors& factors, Element& e) {
  float g = e.g + sgd.weight_decay * e.w;
  if (sgd.momentum != 0) {
    float& m = e.moments[0];
    m = factors.first ? g : sgd.momentum * m + (1 - sgd.dampening) * g;
    g = sgd.nesterov ? g + sgd.momentum * m : m;
  }
  e.w -= factors.rate * g;
}

__device__ inline void step(const Adam& adam, const Factors& factors, Element& e) {
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

__device__ inline void step(const Rmsprop& rmsprop, const Factors& factors, Element& e) {
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

__device__ inline void step(const Adagrad& adagrad, const Factors& factors, Element& e) {
  const float g = e.g + adagrad.weight_decay * e.w;
  e.moments[1] += g * g;
  e.w -= factors.rate * (g / (sqrtf(e.moments[1]) + adagrad.eps));
}

}  // namespace warpfit::cuda
