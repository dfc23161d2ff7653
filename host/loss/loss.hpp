// What training makes small: PyTorch's losses for classification, their mean over the batch.
#pragma once

#include "host/backend/backend.hpp"

namespace warpfit {

enum class LossKind {
  kCrossEntropy,  ///< of logits (nn.CrossEntropyLoss)
  kNll,           ///< of log-probabilities, which a LogSoftmax behind the last layer gives (nn.NLLLoss)
  kMse            ///< squared error against one-hot labels, the mean over the classes too (nn.MSELoss)
};

struct Loss {
  LossKind kind = LossKind::kCrossEntropy;
  float label_smoothing = 0;  ///< share of the label that all classes divide; of cross-entropy
};

/// Adds the batch's loss to `metrics`, and gives the gradient of the last linear layer's outputs (N, C) where
/// `doutputs` is given. A LogSoftmax that belongs to the loss is taken as part of it.
void add_loss(Backend& backend, const Loss& loss, ConstMatrix outputs, ConstLabels labels, Matrix doutputs,
              Metrics* metrics);

}  // namespace warpfit
