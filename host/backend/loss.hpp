// Loss functions of classifiers, named as in torch.nn.
#pragma once

#include "host/backend/metrics.hpp"
#include "host/backend/views.hpp"

namespace warpfit {

enum class LossKind {
  kCrossEntropy,  ///< of logits (nn.CrossEntropyLoss)
  kNll,           ///< of log-probabilities, which a LogSoftmax behind the last layer gives (nn.NLLLoss)
  kMse            ///< squared error against one-hot labels, the mean over the classes too (nn.MSELoss)
};

/// With N rows, C classes and t = one_hot(label), of which every class has `label_smoothing` / C and the
/// label the rest:
///
///   cross-entropy, NLL   mean over rows of -sum_c t_c log softmax(logits)_c;  dlogits = (softmax(logits) -
///   t) / N MSE                  mean over rows and classes of (outputs - t)^2;       doutputs = 2 (outputs -
///   t) / (N C)
///
/// PyTorch's cross-entropy is LogSoftmax and NLL in one, and so is NLL here: the LogSoftmax belongs to the
/// loss.
struct Loss {
  LossKind kind = LossKind::kCrossEntropy;
  float label_smoothing = 0;  ///< of cross-entropy
};

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
