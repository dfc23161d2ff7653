// The formulas of the losses of each output by itself, one for all devices
// (https://pytorch.org/docs/stable/nn.html#loss-functions): y is an output, t its target.
#pragma once

#include <cmath>

#include "host/backend/host_device.hpp"
#include "host/backend/loss.hpp"

namespace warpfit {

struct SquaredError {
  WARPFIT_HOST_DEVICE float value(float y, float t) const { return (y - t) * (y - t); }
  WARPFIT_HOST_DEVICE float derivative(float y, float t) const { return 2.0F * (y - t); }
};

struct AbsoluteError {
  WARPFIT_HOST_DEVICE float value(float y, float t) const { return fabsf(y - t); }
  WARPFIT_HOST_DEVICE float derivative(float y, float t) const {
    return y > t ? 1.0F : y < t ? -1.0F : y - t;  // a NaN stays one
  }
};

/// error^2 / (2 beta) where |error| < beta, else |error| - beta / 2.
struct SmoothAbsoluteError {
  float beta;
  WARPFIT_HOST_DEVICE float value(float y, float t) const {
    const float error = fabsf(y - t);
    return error < beta ? 0.5F * error * error / beta : error - 0.5F * beta;
  }
  WARPFIT_HOST_DEVICE float derivative(float y, float t) const {
    return fabsf(y - t) < beta ? (y - t) / beta : AbsoluteError{}.derivative(y, t);
  }
};

/// error^2 / 2 where |error| <= delta, else delta (|error| - delta / 2).
struct HuberError {
  float delta;
  WARPFIT_HOST_DEVICE float value(float y, float t) const {
    const float error = fabsf(y - t);
    return error <= delta ? 0.5F * error * error : delta * (error - 0.5F * delta);
  }
  WARPFIT_HOST_DEVICE float derivative(float y, float t) const {
    return fabsf(y - t) <= delta ? y - t : delta * AbsoluteError{}.derivative(y, t);
  }
};

/// -t log sigmoid(y) - (1 - t) log(1 - sigmoid(y)), as PyTorch computes it without overflow.
struct BinaryCrossEntropy {
  WARPFIT_HOST_DEVICE float value(float y, float t) const {
    return (1.0F - t) * y + log1pf(expf(-fabsf(y))) + (y < 0.0F ? -y : 0.0F);
  }
  WARPFIT_HOST_DEVICE float derivative(float y, float t) const { return 1.0F / (1.0F + expf(-y)) - t; }
};

/// Calls use(function) with the function of a loss that is no cross-entropy.
template <class Use>
void with_function(const Loss& loss, const Use& use) {
  switch (loss.kind) {
    case LossKind::kCrossEntropy:
    case LossKind::kNll:
      break;
    case LossKind::kMse:
      return use(SquaredError{});
    case LossKind::kL1:
      return use(AbsoluteError{});
    case LossKind::kSmoothL1:
      return use(SmoothAbsoluteError{loss.beta});
    case LossKind::kHuber:
      return use(HuberError{loss.delta});
    case LossKind::kBceWithLogits:
      return use(BinaryCrossEntropy{});
  }
}

}  // namespace warpfit
