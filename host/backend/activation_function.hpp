// The formulas of activations, shared by all devices
// (https://pytorch.org/docs/stable/nn.html#non-linear-activations-weighted-sum-nonlinearity).
#pragma once

#include <cmath>

#include "host/backend/activation.hpp"
#include "host/backend/host_device.hpp"

namespace warpfit {

// Each activation is a struct that computes the function's value and its derivative at x.

/// x if x is above 0 or NaN, else 0.
struct ReluFunction {
  WARPFIT_HOST_DEVICE float value(float x) const { return x < 0.0F ? 0.0F : x; }
  WARPFIT_HOST_DEVICE float derivative(float x) const { return x > 0.0F ? 1.0F : 0.0F; }
};

/// x if x is above 0, else slope * x.
struct LeakyReluFunction {
  float slope;
  WARPFIT_HOST_DEVICE float value(float x) const { return x > 0.0F ? x : slope * x; }
  WARPFIT_HOST_DEVICE float derivative(float x) const { return x > 0.0F ? 1.0F : slope; }
};

/// x if x is above 0, else alpha * (exp(x) - 1).
struct EluFunction {
  float alpha;
  WARPFIT_HOST_DEVICE float value(float x) const { return x > 0.0F ? x : alpha * expm1f(x); }
  WARPFIT_HOST_DEVICE float derivative(float x) const { return x > 0.0F ? 1.0F : alpha * expf(x); }
};

/// x times the cumulative distribution function of the standard normal distribution at x.
struct GeluFunction {
  WARPFIT_HOST_DEVICE static float share(float x) {
    constexpr float kRootOfHalf = 0.707106781F;
    return 0.5F * (1.0F + erff(x * kRootOfHalf));
  }
  WARPFIT_HOST_DEVICE float value(float x) const { return x * share(x); }
  WARPFIT_HOST_DEVICE float derivative(float x) const {
    constexpr float kDensityAtZero = 0.398942280F;  // 1 / sqrt(2 pi)
    return share(x) + x * kDensityAtZero * expf(-0.5F * x * x);
  }
};

/// 1 / (1 + exp(-x)).
struct SigmoidFunction {
  WARPFIT_HOST_DEVICE float value(float x) const { return 1.0F / (1.0F + expf(-x)); }
  WARPFIT_HOST_DEVICE float derivative(float x) const {
    const float y = value(x);
    return y * (1.0F - y);
  }
};

/// x * sigmoid(x).
struct SiluFunction {
  WARPFIT_HOST_DEVICE float value(float x) const { return x / (1.0F + expf(-x)); }
  WARPFIT_HOST_DEVICE float derivative(float x) const {
    const float y = SigmoidFunction{}.value(x);
    return y * (1.0F + x * (1.0F - y));
  }
};

struct TanhFunction {
  WARPFIT_HOST_DEVICE float value(float x) const { return tanhf(x); }
  WARPFIT_HOST_DEVICE float derivative(float x) const {
    const float y = tanhf(x);
    return 1.0F - y * y;
  }
};

/// Calls use(function) with the function of the activation; does nothing for kNone.
template <class Use>
void with_function(const Activation& activation, const Use& use) {
  switch (activation.kind) {
    case ActivationKind::kNone:
      break;
    case ActivationKind::kRelu:
      return use(ReluFunction{});
    case ActivationKind::kLeakyRelu:
      return use(LeakyReluFunction{activation.parameter});
    case ActivationKind::kElu:
      return use(EluFunction{activation.parameter});
    case ActivationKind::kGelu:
      return use(GeluFunction{});
    case ActivationKind::kSilu:
      return use(SiluFunction{});
    case ActivationKind::kSigmoid:
      return use(SigmoidFunction{});
    case ActivationKind::kTanh:
      return use(TanhFunction{});
  }
}

}  // namespace warpfit
