#include <vector>

#include "host/cpu/elementwise_loss.hpp"
#include "host/cpu/layer_ops.hpp"
#include "host/cpu/softmax_cross_entropy.hpp"

namespace warpfit::cpu {
namespace {

class ClassificationLoss final : public LossOp {
 public:
  ClassificationLoss(const OpContext& context, const Loss& loss, std::int64_t rows)
      : context_(context), loss_(loss), row_losses_(static_cast<std::size_t>(rows)) {}

  void add(ConstMatrix outputs, ConstLabels labels, Matrix doutputs, Metrics* metrics) override {
    if (!is_cross_entropy(loss_)) {
      elementwise_loss(context_.pool, loss_, outputs, labels, doutputs, row_losses_, *metrics,
                       context_.run.loss_divisor);
    } else {
      softmax_cross_entropy(context_.pool, outputs, labels, loss_, doutputs, row_losses_, *metrics,
                            context_.run.loss_divisor);
    }
  }

 private:
  OpContext context_;
  Loss loss_;
  std::vector<float> row_losses_;  // scratch
};

}  // namespace

std::unique_ptr<LossOp> make_loss_op(const OpContext& context, const Loss& loss, std::int64_t rows) {
  return std::make_unique<ClassificationLoss>(context, loss, rows);
}

}  // namespace warpfit::cpu
