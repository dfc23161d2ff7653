#include "host/loss/loss.hpp"

namespace warpfit {

// PyTorch's cross-entropy is LogSoftmax and NLL in one, loss and gradient.
void add_loss(Backend& backend, const Loss& loss, ConstMatrix outputs, ConstLabels labels, Matrix doutputs,
              Metrics* metrics) {
  if (loss.kind == LossKind::kMse) {
    backend.mean_squared_error(outputs, labels, doutputs, metrics);
  } else {
    backend.softmax_cross_entropy(outputs, labels, loss.label_smoothing, doutputs, metrics);
  }
}

}  // namespace warpfit
