// The formulas of the optimizers for one parameter, shared by all devices, in PyTorch's order of operations
// (https://pytorch.org/docs/stable/optim.html).
#pragma once

#include <cmath>

#include "host/backend/host_device.hpp"
#include "host/backend/optimizer.hpp"

namespace warpfit {

/// A parameter, its gradient and its moments, which a step updates. Not an array, which would keep a loop
/// over parameters from being vectorized.
struct Element {
  float w = 0, g = 0, m = 0, v = 0, third = 0;

  WARPFIT_HOST_DEVICE float& moment(std::size_t k) { return k == 0 ? m : k == 1 ? v : third; }
};

/// Which moments an optimizer keeps; a moment with kSometimes is kept if its pointer is not null.
template <class Rule, class Pointers>
struct KeptMoments {
  Pointers moments;

  [[nodiscard]] WARPFIT_HOST_DEVICE bool has(std::size_t k) const {
    constexpr MomentsKept kMoments = Rule::kMoments;  // device code cannot read the static member itself
    return kMoments[k] == MomentUse::kAlways ||
           (kMoments[k] == MomentUse::kSometimes && moments[k] != nullptr);
  }
};

/// The value of OptimizerProgress::scalar after a step: unchanged, unless an overload for the optimizer's
/// constants exists.
template <class StepConstants>
WARPFIT_HOST_DEVICE float next_scalar(const StepConstants&, float scalar) {
  return scalar;
}

// Each optimizer has the constants of a step, computed by step_constants_of(optimizer, learning rate, number
// of the step from 1 on, OptimizerProgress::scalar), and update(optimizer, constants, kept, element), where
// kept.has(k) says whether moment k is kept. Options are compile-time constants or selections, since a branch
// would keep a loop over parameters from being vectorized. NaNs are kept.

WARPFIT_HOST_DEVICE inline float decayed(float g, float w, float weight_decay) {
  return weight_decay != 0 ? g + weight_decay * w : g;
}

struct PlainConstants {
  float rate;
  bool first;
};
template <class Rule>
WARPFIT_HOST_DEVICE PlainConstants step_constants_of(const Rule&, float rate, std::int64_t step, float) {
  return {rate, step == 1};
}

template <class Kept>
WARPFIT_HOST_DEVICE void update(const Sgd& sgd, const PlainConstants& constants, const Kept& kept,
                                Element& e) {
  float g = decayed(e.g, e.w, sgd.weight_decay);
  if (kept.has(0)) {
    const float mean = sgd.momentum * e.m + (1 - sgd.dampening) * g;
    e.m = constants.first ? g : mean;
    const float ahead = g + sgd.momentum * e.m;
    g = sgd.nesterov ? ahead : e.m;
  }
  e.w -= constants.rate * g;
}

/// The first part of Adam, NAdam and RAdam: updates the running means of the gradient and of its square, and
/// applies weight decay. Decoupled decay multiplies the parameter by `keep`. Returns the gradient, with the
/// decay added unless it is decoupled.
template <class Rule>
WARPFIT_HOST_DEVICE float update_means(const Rule& rule, float keep, Element& e) {
  const float g = decayed(e.g, e.w, rule.decoupled ? 0 : rule.weight_decay);
  e.w *= keep;
  e.m = static_cast<float>(rule.beta1) * e.m + static_cast<float>(1 - rule.beta1) * g;
  e.v = static_cast<float>(rule.beta2) * e.v + static_cast<float>(1 - rule.beta2) * g * g;
  return g;
}

struct AdamConstants {
  float rate;             ///< learning rate / bias correction of the first moment
  float root_correction;  ///< square root of the second moment's bias correction
  float keep;             ///< factor of decoupled weight decay
};
WARPFIT_HOST_DEVICE inline AdamConstants step_constants_of(const Adam& adam, float rate, std::int64_t step,
                                                           float) {
  const auto t = static_cast<double>(step);
  return {static_cast<float>(rate / (1 - pow(adam.beta1, t))),
          static_cast<float>(sqrt(1 - pow(adam.beta2, t))),
          adam.decoupled ? 1 - rate * adam.weight_decay : 1};
}

template <class Kept>
WARPFIT_HOST_DEVICE void update(const Adam& adam, const AdamConstants& constants, const Kept& kept,
                                Element& e) {
  update_means(adam, constants.keep, e);
  float square = e.v;
  if (kept.has(2)) {
    e.third = square <= e.third ? e.third : square;  // unlike fmaxf, it keeps a NaN
    square = e.third;
  }
  e.w -= constants.rate * (e.m / (sqrtf(square) / constants.root_correction + adam.eps));
}

template <class Kept>
WARPFIT_HOST_DEVICE void update(const Rmsprop& rmsprop, const PlainConstants& constants, const Kept& kept,
                                Element& e) {
  const float g = decayed(e.g, e.w, rmsprop.weight_decay);
  e.v = rmsprop.alpha * e.v + (1 - rmsprop.alpha) * g * g;
  float square = e.v;
  if (kept.has(2)) {
    e.third = rmsprop.alpha * e.third + (1 - rmsprop.alpha) * g;
    square -= e.third * e.third;
  }
  float d = g / (sqrtf(square) + rmsprop.eps);
  if (kept.has(0)) d = e.m = rmsprop.momentum * e.m + d;
  e.w -= constants.rate * d;
}

template <class Kept>
WARPFIT_HOST_DEVICE void update(const Adagrad& adagrad, const PlainConstants& constants, const Kept&,
                                Element& e) {
  const float g = decayed(e.g, e.w, adagrad.weight_decay);
  e.v += g * g;
  e.w -= constants.rate * (g / (sqrtf(e.v) + adagrad.eps));
}

template <class Kept>
WARPFIT_HOST_DEVICE void update(const Adadelta& adadelta, const PlainConstants& constants, const Kept&,
                                Element& e) {
  const float g = decayed(e.g, e.w, adadelta.weight_decay);
  e.v = adadelta.rho * e.v + (1 - adadelta.rho) * g * g;
  const float d = sqrtf(e.third + adadelta.eps) / sqrtf(e.v + adadelta.eps) * g;
  e.third = adadelta.rho * e.third + (1 - adadelta.rho) * d * d;
  e.w -= constants.rate * d;
}

WARPFIT_HOST_DEVICE inline PlainConstants step_constants_of(const Adamax& adamax, float rate,
                                                            std::int64_t step, float) {
  return {static_cast<float>(rate / (1 - pow(adamax.beta1, static_cast<double>(step)))), step == 1};
}

template <class Kept>
WARPFIT_HOST_DEVICE void update(const Adamax& adamax, const PlainConstants& constants, const Kept&,
                                Element& e) {
  const float g = decayed(e.g, e.w, adamax.weight_decay);
  e.m = static_cast<float>(adamax.beta1) * e.m + static_cast<float>(1 - adamax.beta1) * g;
  const float before = static_cast<float>(adamax.beta2) * e.v;
  const float now = fabsf(g) + adamax.eps;
  e.v = before <= now || now != now ? now : before;
  e.w -= constants.rate * (e.m / e.v);
}

struct NadamConstants {
  float gradient_rate, mean_rate;
  float root_correction;
  float keep;
  float product;  ///< product of all mu up to this step
};
WARPFIT_HOST_DEVICE inline NadamConstants step_constants_of(const Nadam& nadam, float rate, std::int64_t step,
                                                            float product_before) {
  const auto t = static_cast<double>(step);
  const double mu = nadam.beta1 * (1 - 0.5 * pow(0.96, t * nadam.momentum_decay));
  const double next = nadam.beta1 * (1 - 0.5 * pow(0.96, (t + 1) * nadam.momentum_decay));
  const float product = (step == 1 ? 1.0F : product_before) * static_cast<float>(mu);
  return {static_cast<float>(rate * (1 - mu) / (1 - double{product})),
          static_cast<float>(rate * next / (1 - product * next)),
          static_cast<float>(sqrt(1 - pow(nadam.beta2, t))),
          nadam.decoupled ? 1 - rate * nadam.weight_decay : 1, product};
}
WARPFIT_HOST_DEVICE inline float next_scalar(const NadamConstants& constants, float) {
  return constants.product;
}

template <class Kept>
WARPFIT_HOST_DEVICE void update(const Nadam& nadam, const NadamConstants& constants, const Kept&,
                                Element& e) {
  const float g = update_means(nadam, constants.keep, e);
  const float root = sqrtf(e.v) / constants.root_correction + nadam.eps;
  e.w -= constants.gradient_rate * (g / root);
  e.w -= constants.mean_rate * (e.m / root);
}

struct RadamConstants {
  float rate;             ///< learning rate / bias correction of the first moment * rectification
  float root_correction;  ///< as Adam's; 0 if the second moment is not used
  float keep;
};
WARPFIT_HOST_DEVICE inline RadamConstants step_constants_of(const Radam& radam, float rate, std::int64_t step,
                                                            float) {
  const auto t = static_cast<double>(step);
  const double power = pow(radam.beta2, t);
  const double most = 2 / (1 - radam.beta2) - 1;  // maximum length of the mean
  const double length = most - 2 * t * power / (1 - power);
  const bool is_used = length > 5;
  const double factor =
      is_used ? sqrt((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)) : 1;
  return {static_cast<float>(rate / (1 - pow(radam.beta1, t)) * factor),
          is_used ? static_cast<float>(sqrt(1 - power)) : 0.0F,
          radam.decoupled ? 1 - rate * radam.weight_decay : 1};
}

template <class Kept>
WARPFIT_HOST_DEVICE void update(const Radam& radam, const RadamConstants& constants, const Kept&,
                                Element& e) {
  update_means(radam, constants.keep, e);
  const float adapted = e.m * (constants.root_correction / (sqrtf(e.v) + radam.eps));
  e.w -= constants.rate * (constants.root_correction != 0 ? adapted : e.m);
}

template <class Kept>
WARPFIT_HOST_DEVICE void update(const Rprop& rprop, const PlainConstants& constants, const Kept&,
                                Element& e) {
  const float turn = e.g * e.m;  // negative if the sign changes; 0 at the first step
  float step = constants.first ? constants.rate : e.v;
  step *= turn > 0 ? rprop.eta_plus : turn < 0 ? rprop.eta_minus : 1.0F;
  step = step < rprop.smallest ? rprop.smallest : step > rprop.largest ? rprop.largest : step;
  const float g = turn < 0 ? 0.0F : e.g;
  e.m = g;
  e.v = step;
  e.w -= g > 0 ? step : g < 0 ? -step : g;  // if g is NaN, w becomes NaN
}

struct AsgdConstants {
  float eta, next_eta;
  float keep;
  float mean;  ///< weight of the newest w in the mean
};
WARPFIT_HOST_DEVICE inline AsgdConstants step_constants_of(const Asgd& asgd, float rate, std::int64_t step,
                                                           float eta_before) {
  const auto t = static_cast<double>(step);
  const float eta = step == 1 ? rate : eta_before;
  const double since = t - 1 - asgd.t0;
  return {eta, static_cast<float>(rate / pow(1 + asgd.lambd * rate * t, asgd.alpha)),
          static_cast<float>(1 - asgd.lambd * eta), static_cast<float>(1 / (since > 1 ? since : 1))};
}
WARPFIT_HOST_DEVICE inline float next_scalar(const AsgdConstants& constants, float) {
  return constants.next_eta;
}

template <class Kept>
WARPFIT_HOST_DEVICE void update(const Asgd& asgd, const AsgdConstants& constants, const Kept&, Element& e) {
  const float g = decayed(e.g, e.w, asgd.weight_decay);
  e.w *= constants.keep;
  e.w -= constants.eta * g;
  e.third = constants.mean == 1 ? e.w : e.third + (e.w - e.third) * constants.mean;
}

}  // namespace warpfit
