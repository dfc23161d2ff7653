// The formulas of the optimizers for one parameter, one for all devices and in PyTorch's order of operations
// (https://pytorch.org/docs/stable/optim.html).
#pragma once

#include <cmath>

#include "host/backend/host_device.hpp"
#include "host/backend/optimizer.hpp"

namespace warpfit {

/// A parameter, its gradient and its moments before a step, which become those behind it.
struct Element {
  float w, g, moments[kMostMoments];
};

// For each optimizer: what a step has in common for all parameters, made by factors_of(optimizer, learning
// rate, number of the step from 1 on, OptimizerProgress::scalar), and update(optimizer, factors, kept,
// element), where kept.has(k) says whether moment k is kept. Options are constants or selections, since a
// branch would keep a loop over parameters from being vectorized. A NaN is kept.

WARPFIT_HOST_DEVICE inline float decayed(float g, float w, float weight_decay) {
  return weight_decay != 0 ? g + weight_decay * w : g;
}

struct PlainFactors {
  float rate;
  bool first;
};
template <class Rule>
WARPFIT_HOST_DEVICE PlainFactors factors_of(const Rule&, float rate, std::int64_t step, float) {
  return {rate, step == 1};
}

template <class Kept>
WARPFIT_HOST_DEVICE void update(const Sgd& sgd, const PlainFactors& factors, const Kept& kept, Element& e) {
  float g = decayed(e.g, e.w, sgd.weight_decay);
  if (kept.has(0)) {
    const float mean = sgd.momentum * e.moments[0] + (1 - sgd.dampening) * g;
    e.moments[0] = factors.first ? g : mean;
    const float ahead = g + sgd.momentum * e.moments[0];
    g = sgd.nesterov ? ahead : e.moments[0];
  }
  e.w -= factors.rate * g;
}

struct AdamFactors {
  float rate;             ///< divided by the first moment's correction
  float root_correction;  ///< of the second
  float keep;             ///< what decoupled weight decay leaves of a parameter
};
WARPFIT_HOST_DEVICE inline AdamFactors factors_of(const Adam& adam, float rate, std::int64_t step, float) {
  const auto t = static_cast<double>(step);
  return {static_cast<float>(rate / (1 - pow(adam.beta1, t))),
          static_cast<float>(sqrt(1 - pow(adam.beta2, t))),
          adam.decoupled ? 1 - rate * adam.weight_decay : 1};
}

template <class Kept>
WARPFIT_HOST_DEVICE void update(const Adam& adam, const AdamFactors& factors, const Kept& kept, Element& e) {
  const float g = decayed(e.g, e.w, adam.decoupled ? 0 : adam.weight_decay);
  e.w *= factors.keep;
  float& m = e.moments[0];
  float& v = e.moments[1];
  m = static_cast<float>(adam.beta1) * m + static_cast<float>(1 - adam.beta1) * g;
  v = static_cast<float>(adam.beta2) * v + static_cast<float>(1 - adam.beta2) * g * g;
  float square = v;
  if (kept.has(2)) {
    e.moments[2] = square <= e.moments[2] ? e.moments[2] : square;  // unlike fmaxf, it keeps a NaN
    square = e.moments[2];
  }
  e.w -= factors.rate * (m / (sqrtf(square) / factors.root_correction + adam.eps));
}

template <class Kept>
WARPFIT_HOST_DEVICE void update(const Rmsprop& rmsprop, const PlainFactors& factors, const Kept& kept,
                                Element& e) {
  const float g = decayed(e.g, e.w, rmsprop.weight_decay);
  float& v = e.moments[1];
  v = rmsprop.alpha * v + (1 - rmsprop.alpha) * g * g;
  float square = v;
  if (kept.has(2)) {
    float& mean = e.moments[2];
    mean = rmsprop.alpha * mean + (1 - rmsprop.alpha) * g;
    square -= mean * mean;
  }
  float d = g / (sqrtf(square) + rmsprop.eps);
  if (kept.has(0)) d = e.moments[0] = rmsprop.momentum * e.moments[0] + d;
  e.w -= factors.rate * d;
}

template <class Kept>
WARPFIT_HOST_DEVICE void update(const Adagrad& adagrad, const PlainFactors& factors, const Kept&,
                                Element& e) {
  const float g = decayed(e.g, e.w, adagrad.weight_decay);
  e.moments[1] += g * g;
  e.w -= factors.rate * (g / (sqrtf(e.moments[1]) + adagrad.eps));
}

}  // namespace warpfit
