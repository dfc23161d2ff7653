#include "host/cpu/batch_norm_op.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "host/cpu/batch_norm.hpp"
#include "host/cpu/rank_moments.hpp"
#include "host/cpu/sgd.hpp"

namespace warpfit::cpu {
namespace {

class BatchNormOp final : public LayerOp {
 public:
  BatchNormOp(const OpContext& context, const BatchNormOperation& operation)
      : context_(context), operation_(operation) {
    for (auto* values : {&mean_, &inverse_deviation_, &dweight_, &dbias_})
      values->resize(static_cast<std::size_t>(operation.channels));
    if (operation.is_synchronized) ranks_.emplace(context.backend, operation);
  }

  void forward(Mode mode, const OperationViews& views) override {
    has_gradients_ = false;
    if (mode == Mode::kTrain) {
      auto moments = batch_norm_moments(context_.pool, operation_, views.x);
      if (ranks_) moments = ranks_->combine(moments);
      batch_norm_forward(context_.pool, operation_, views.x, moments, views.tensors, views.state, batch(),
                         views.y);
    } else {
      batch_norm_evaluate(context_.pool, operation_, views.x, views.tensors, views.state, views.y);
    }
  }
  void backward_input(const OperationViews& views) override {
    find_gradients(views);
    auto dweight = dweight_, dbias = dbias_;  // summed over the rows of the batch
    if (ranks_) ranks_->sum(dweight, dbias);
    batch_norm_backward_input(context_.pool, operation_, views.x, views.dy, views.tensors[0], batch(),
                              dweight, dbias, views.dx);
  }
  Fence backward_tensors(const OperationViews& views) override {
    find_gradients(views);
    const auto copy = [](const std::vector<float>& from, Vector to) {
      if (!to.empty()) std::ranges::copy(from, to.begin());
    };
    copy(dweight_, views.gradients[0]);
    copy(dbias_, views.gradients[1]);
    return {};
  }
  Fence backward_sgd(const OperationViews& views) override {
    find_gradients(views);
    sgd_update(context_.pool, views.tensors[0], dweight_, context_.run.rate);
    sgd_update(context_.pool, views.tensors[1], dbias_, context_.run.rate);
    return {};
  }

 private:
  [[nodiscard]] BatchNormStatistics batch() { return {mean_, inverse_deviation_, count_}; }
  void find_gradients(const OperationViews& views) {
    if (!has_gradients_)
      batch_norm_gradients(context_.pool, operation_, views.x, views.dy, batch(), dweight_, dbias_);
    has_gradients_ = true;
  }

  OpContext context_;
  BatchNormOperation operation_;
  std::vector<float> mean_, inverse_deviation_;  // of the batch
  double count_ = 0;                             // likewise
  std::vector<float> dweight_, dbias_;           // of the rows here
  std::optional<RankMoments> ranks_;             // if synchronized
  bool has_gradients_ = false;                   // of this step
};

}  // namespace

std::unique_ptr<LayerOp> make_batch_norm_op(const OpContext& context, const BatchNormOperation& operation) {
  return std::make_unique<BatchNormOp>(context, operation);
}

}  // namespace warpfit::cpu
