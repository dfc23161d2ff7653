// Loss functions of classifiers, with the names, formulas and defaults of torch.nn. One formula for all
// devices.
#pragma once

#include <vector>

#include "host/backend/metrics.hpp"
#include "host/backend/views.hpp"

namespace warpfit {

enum class LossKind {
  kCrossEntropy,   ///< takes logits (nn.CrossEntropyLoss)
  kNll,            ///< takes log-probabilities, from a LogSoftmax after the last layer (nn.NLLLoss)
  kMse,            ///< nn.MSELoss; this and the following: with one-hot labels, mean over rows and classes
  kL1,             ///< nn.L1Loss
  kSmoothL1,       ///< nn.SmoothL1Loss, with beta
  kHuber,          ///< nn.HuberLoss, with delta
  kBceWithLogits,  ///< nn.BCEWithLogitsLoss
  kMultiMargin,    ///< nn.MultiMarginLoss, with margin
};

/// Cross-entropy and NLL, with N rows, C classes and t = one_hot(label) smoothed so that every class gets
/// `label_smoothing` / C and the label the rest: the mean over rows of -sum_c t_c log softmax(logits)_c, and
/// dlogits = (softmax(logits) - t) / N. With class weights w each term is t_c w_c log softmax(logits)_c, and
/// the sum over rows is divided by the sum of w_label. PyTorch's cross-entropy is LogSoftmax and NLL in one,
/// and so is NLL here: the LogSoftmax is part of the loss.
///
/// The others: the mean over rows and classes of value(y, t), with t = one_hot(label), and doutputs =
/// derivative(y, t) / (N C), with the functions of host/backend/loss_function.hpp. Multi-margin is the mean
/// of max(0, margin - y_label + y_c), where c = label counts as 0.
struct Loss {
  LossKind kind = LossKind::kCrossEntropy;
  float label_smoothing = 0;  ///< for cross-entropy
  float beta = 1;             ///< for smooth-l1: |error| at which it changes from quadratic to linear
  float delta = 1;            ///< for huber, likewise
  float margin = 1;           ///< for multi-margin
  std::vector<float> class_weights = {};  ///< (C), for cross-entropy and NLL; empty: all 1
};

[[nodiscard]] inline bool is_cross_entropy(const Loss& loss) {
  return loss.kind == LossKind::kCrossEntropy || loss.kind == LossKind::kNll;
}

/// A loss function that a backend has prepared for batches of one size.
class LossOp {
 public:
  LossOp() = default;
  LossOp(const LossOp&) = delete;
  LossOp& operator=(const LossOp&) = delete;
  virtual ~LossOp() = default;

  /// Adds the batch's loss, its correct predictions, and whether the loss is finite to `metrics`. If
  /// `doutputs` is given, also computes the gradient of the last layer's outputs (N, C). Labels (N) must be
  /// below C.
  virtual void add(ConstMatrix outputs, ConstLabels labels, Matrix doutputs, Metrics* metrics) = 0;
};

}  // namespace warpfit
