// The formulas of the element-wise losses, shared by all devices
// (https://pytorch.org/docs/stable/nn.html#loss-functions): y is an output, t its target.
#pragma once

#include <cmath>

#include "host/backend/host_device.hpp"
#include "host/backend/loss.hpp"

namespace warpfit {

/// Base of the functions that depend only on y and t: all except Margin.
struct ElementwiseFunction {
  /// Whether the derivative for the label's output is minus the sum of those for the other outputs.
  static constexpr bool kNegatesSumAtLabel = false;
};

struct SquaredError : ElementwiseFunction {
  WARPFIT_HOST_DEVICE float value(float y, float t) const { return (y - t) * (y - t); }
  WARPFIT_HOST_DEVICE float derivative(float y, float t) const { return 2.0F * (y - t); }
};

struct AbsoluteError : ElementwiseFunction {
  WARPFIT_HOST_DEVICE float value(float y, float t) const { return fabsf(y - t); }
  WARPFIT_HOST_DEVICE float derivative(float y, float t) const {
    return y > t ? 1.0F : y < t ? -1.0F : y - t;  // y - t keeps a NaN
  }
};

/// error^2 / (2 beta) if |error| < beta, else |error| - beta / 2.
struct SmoothAbsoluteError : ElementwiseFunction {
  float beta;
  WARPFIT_HOST_DEVICE float value(float y, float t) const {
    const float error = fabsf(y - t);
    return error < beta ? 0.5F * error * error / beta : error - 0.5F * beta;
  }
  WARPFIT_HOST_DEVICE float derivative(float y, float t) const {
    return fabsf(y - t) < beta ? (y - t) / beta : AbsoluteError{}.derivative(y, t);
  }
};

/// error^2 / 2 if |error| <= delta, else delta (|error| - delta / 2).
struct HuberError : ElementwiseFunction {
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
struct BinaryCrossEntropy : ElementwiseFunction {
  WARPFIT_HOST_DEVICE float value(float y, float t) const {
    return (1.0F - t) * y + log1pf(expf(-fabsf(y))) + (y < 0.0F ? -y : 0.0F);
  }
  WARPFIT_HOST_DEVICE float derivative(float y, float t) const { return 1.0F / (1.0F + expf(-y)) - t; }
};

/// max(0, margin - y_label + y) if t is 0, else 0.
struct Margin {
  static constexpr bool kNegatesSumAtLabel = true;
  float margin;
  float at_label = 0;  ///< y_label
  WARPFIT_HOST_DEVICE float error(float y) const { return margin - at_label + y; }
  WARPFIT_HOST_DEVICE float value(float y, float t) const {
    return t > 0.0F || error(y) < 0.0F ? 0.0F : error(y);  // keeps a NaN
  }
  WARPFIT_HOST_DEVICE float derivative(float y, float t) const {
    return t > 0.0F || !(error(y) > 0.0F) ? 0.0F : 1.0F;
  }
};

/// The function for a row in which the label's output is `at_label`.
template <class Function>
WARPFIT_HOST_DEVICE Function for_row(Function function, float at_label) {
  if constexpr (Function::kNegatesSumAtLabel) function.at_label = at_label;
  return function;
}

/// Calls use(function) with the function of a loss other than cross-entropy and NLL.
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
      return use(SmoothAbsoluteError{{}, loss.beta});
    case LossKind::kHuber:
      return use(HuberError{{}, loss.delta});
    case LossKind::kBceWithLogits:
      return use(BinaryCrossEntropy{});
    case LossKind::kMultiMargin:
      return use(Margin{loss.margin});
  }
}

}  // namespace warpfit
