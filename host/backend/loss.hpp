// Loss functions of classifiers, with the names, formulas and defaults of torch.nn. One formula for all
// devices.
#pragma once

#include <cmath>

#include "host/backend/host_device.hpp"
#include "host/backend/metrics.hpp"
#include "host/backend/views.hpp"

namespace warpfit {

enum class LossKind {
  kCrossEntropy,   ///< of logits (nn.CrossEntropyLoss)
  kNll,            ///< of log-probabilities, which a LogSoftmax after the last layer gives (nn.NLLLoss)
  kMse,            ///< nn.MSELoss, and so on: against one-hot labels, the mean over rows and classes
  kL1,             ///< nn.L1Loss
  kSmoothL1,       ///< nn.SmoothL1Loss, with beta
  kHuber,          ///< nn.HuberLoss, with delta
  kBceWithLogits,  ///< nn.BCEWithLogitsLoss
};

/// Cross-entropy and NLL, with N rows, C classes and t = one_hot(label), of which every class has
/// `label_smoothing` / C and the label the rest: the mean over rows of -sum_c t_c log softmax(logits)_c, and
/// dlogits = (softmax(logits) - t) / N. PyTorch's cross-entropy is LogSoftmax and NLL in one, and so is NLL
/// here: the LogSoftmax belongs to the loss.
///
/// The others: the mean over rows and classes of value(y, t), with t = one_hot(label), and doutputs =
/// derivative(y, t) / (N C), with the functions below.
struct Loss {
  LossKind kind = LossKind::kCrossEntropy;
  float label_smoothing = 0;  ///< of cross-entropy
  float beta = 1;             ///< of smooth-l1: where it turns from a square into an absolute value
  float delta = 1;            ///< of huber, likewise
};

[[nodiscard]] inline bool is_cross_entropy(const Loss& loss) {
  return loss.kind == LossKind::kCrossEntropy || loss.kind == LossKind::kNll;
}

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

/// A loss that a backend has prepared for batches of one size.
class LossOp {
 public:
  LossOp() = default;
  LossOp(const LossOp&) = delete;
  LossOp& operator=(const LossOp&) = delete;
  virtual ~LossOp() = default;

  /// Adds the batch to `metrics`: its loss, correct answers, and whether the loss is finite. Gives the
  /// gradient of the last layer's outputs (N, C) where `doutputs` is given. Labels (N) must be below C.
  virtual void add(ConstMatrix outputs, ConstLabels labels, Matrix doutputs, Metrics* metrics) = 0;
};

}  // namespace warpfit
