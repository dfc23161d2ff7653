#include "cuda/batch_norm_op.hpp"

#include <vector>

#include "cuda/ops/batch_norm.hpp"
#include "cuda/ops/sgd.hpp"
#include "cuda/runtime/copy.hpp"
#include "host/backend/buffer.hpp"

namespace warpfit {
namespace {

// Mean and 1 / deviation of each channel, and the number of values per channel.
std::vector<float> initial_statistics(const BatchNormOperation& operation, std::int64_t rows) {
  std::vector<float> values(static_cast<std::size_t>(2 * operation.channels + 1));
  values.back() = static_cast<float>(rows * operation.pixels);
  return values;
}

class BatchNormOp final : public LayerOp {
 public:
  BatchNormOp(const OpContext& context, const BatchNormOperation& operation, std::int64_t rows)
      : context_(context),
        operation_(operation),
        channels_(static_cast<std::size_t>(operation.channels)),
        statistics_(context.backend, initial_statistics(operation, rows)),
        gradients_(context.backend, std::vector<float>(2 * channels_)),
        scratch_(context.backend, static_cast<std::size_t>(cuda::batch_norm_scratch(operation, rows))) {
    if (!operation.is_synchronized) return;
    const auto ranks = static_cast<std::size_t>(context.backend.communicator().size());
    slots_ = {context.backend, ranks * static_cast<std::size_t>(cuda::rank_slot_size(operation.channels))};
    gradient_sums_ = {context.backend, gradients_.size()};
  }

  void forward(Mode mode, const OperationViews& views) override {
    has_gradients_ = false;
    const auto stream = context_.stream.get();
    if (mode == Mode::kEvaluate) {
      cuda::batch_norm_evaluate(operation_, views.x, views.tensors, views.state, views.y, stream);
      return;
    }
    if (operation_.is_synchronized) {
      cuda::batch_norm_rank_moments(operation_, views.x, scratch_.view(), slots(), stream);
      sum_over_ranks(slots_.view());
    }
    cuda::batch_norm_forward(operation_, views.x, views.tensors, views.state, batch(), scratch_.view(),
                             slots(), views.y, stream);
  }
  void backward_input(const OperationViews& views) override {
    if (!operation_.is_synchronized) {
      find_gradients(views, views.dx);
      return;
    }
    find_gradients(views, {});
    const auto stream = context_.stream.get();
    copy_on_device(gradient_sums_.data(), gradients_.data(), gradients_.view().size_bytes(), stream);
    sum_over_ranks(gradient_sums_.view());
    cuda::batch_norm_backward_input(operation_, views.x, views.dy, views.tensors[0], batch(),
                                    gradient_sums_.view().first(channels_),
                                    gradient_sums_.view().last(channels_), views.dx, stream);
  }
  Fence backward_tensors(const OperationViews& views) override {
    if (!has_gradients_) find_gradients(views, {});
    const auto copy = [&](Vector from, Vector to) {
      if (!to.empty()) copy_on_device(to.data(), from.data(), to.size_bytes(), context_.stream.get());
    };
    copy(dweight(), views.gradients[0]);
    copy(dbias(), views.gradients[1]);
    return {};
  }
  Fence backward_sgd(const OperationViews& views) override {
    if (!has_gradients_) find_gradients(views, {});
    const float* rate = &context_.position->rate;
    cuda::sgd_update(views.tensors[0], dweight(), rate, context_.stream.get());
    cuda::sgd_update(views.tensors[1], dbias(), rate, context_.stream.get());
    return {};
  }

 private:
  [[nodiscard]] cuda::BatchNormStatistics batch() const {
    const auto all = statistics_.view();
    return {all.first(channels_), all.subspan(channels_, channels_), all.last(1)};
  }
  [[nodiscard]] cuda::RankSlots slots() const {
    auto& communicator = context_.backend.communicator();
    return {slots_.data(), communicator.rank(), communicator.size()};
  }
  [[nodiscard]] Vector dweight() const { return gradients_.view().first(channels_); }
  [[nodiscard]] Vector dbias() const { return gradients_.view().last(channels_); }

  // Computes the gradients of weight and bias, and dx unless it is empty.
  void find_gradients(const OperationViews& views, Matrix dx) {
    cuda::batch_norm_backward(operation_, views.x, views.dy, views.tensors[0], batch(), scratch_.view(),
                              dweight(), dbias(), dx, context_.stream.get());
    has_gradients_ = true;
  }
  void sum_over_ranks(Vector values) const {
    context_.backend.wait(context_.backend.sum_over_ranks(values, SumOrder::kFastest, {}));
  }

  OpContext context_;
  BatchNormOperation operation_;
  std::size_t channels_;
  Buffer<float> statistics_;  // of the batch
  Buffer<float> gradients_;   // of weight and bias, from the rows here
  Buffer<float> scratch_;
  Buffer<float> slots_;          // if synchronized: the statistics of each rank
  Buffer<float> gradient_sums_;  // likewise: the gradients, summed over the ranks
  bool has_gradients_ = false;   // of this step
};

}  // namespace

std::unique_ptr<LayerOp> make_batch_norm_op(const OpContext& context, const BatchNormOperation& operation,
                                            std::int64_t rows) {
  return std::make_unique<BatchNormOp>(context, operation, rows);
}

}  // namespace warpfit
