// Loss functions of classifiers, with the names, formulas and defaults of torch.nn. One formula for all
// devices.
#pragma once

#include <vector>

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
  kMultiMargin,    ///< nn.MultiMarginLoss, with margin
};

/// Cross-entropy and NLL, with N rows, C classes and t = one_hot(label), of which every class has
/// `label_smoothing` / C and the label the rest: the mean over rows of -sum_c t_c log softmax(logits)_c, and
/// dlogits = (softmax(logits) - t) / N. With class weights w each term is t_c w_c log softmax(logits)_c, and
/// the sum over rows is divided by that of w_label. PyTorch's cross-entropy is LogSoftmax and NLL in one, and
/// so is NLL here: the LogSoftmax belongs to the loss.
///
/// The others: the mean over rows and classes of value(y, t), with t = one_hot(label), and doutputs =
/// derivative(y, t) / (N C), with the functions of host/backend/loss_function.hpp. Multi-margin is the mean
/// of max(0, margin - y_label + y_c), where c = label counts as 0.
struct Loss {
  LossKind kind = LossKind::kCrossEntropy;
  float label_smoothing = 0;  ///< of cross-entropy
  float beta = 1;             ///< of smooth-l1: where it turns from a square into an absolute value
  float delta = 1;            ///< of huber, likewise
  float margin = 1;           ///< of multi-margin
  std::vector<float> class_weights = {};  ///< (C), of cross-entropy and NLL; empty for 1 each
};

[[nodiscard]] inline bool is_cross_entropy(const Loss& loss) {
  return loss.kind == LossKind::kCrossEntropy || loss.kind == LossKind::kNll;
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
