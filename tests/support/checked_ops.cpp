#include "tests/support/checked_ops.hpp"

#include <variant>
#include <vector>

namespace warpfit::test {
namespace {

// The number of elements of each tensor of an operation.
std::vector<std::size_t> tensors_of(const Operation& operation) {
  if (const auto* norm = std::get_if<BatchNormOperation>(&operation))
    return std::vector<std::size_t>(2, static_cast<std::size_t>(norm->channels));
  if (const auto* conv = std::get_if<ConvOperation>(&operation)) {
    std::vector<std::size_t> sizes{static_cast<std::size_t>(conv->weights())};
    if (conv->bias) sizes.push_back(static_cast<std::size_t>(conv->out_channels));
    return sizes;
  }
  const auto* linear = std::get_if<LinearOperation>(&operation);
  if (linear == nullptr) return {};
  std::vector<std::size_t> sizes{static_cast<std::size_t>(linear->inputs * linear->outputs)};
  if (linear->bias) sizes.push_back(static_cast<std::size_t>(linear->outputs));
  return sizes;
}

// Likewise of its state.
std::vector<std::size_t> state_of(const Operation& operation) {
  const auto* norm = std::get_if<BatchNormOperation>(&operation);
  if (norm == nullptr) return {};
  const auto channels = static_cast<std::size_t>(norm->channels);
  return {channels, channels, 1};
}

class CheckedLayerOp final : public LayerOp {
 public:
  CheckedLayerOp(CheckedBackend& backend, std::unique_ptr<LayerOp> op, const Operation& operation,
                 std::int64_t rows)
      : backend_(backend), op_(std::move(op)), operation_(operation), rows_(rows) {}

  void forward(Mode mode, const OperationViews& views) override {
    backend_.expect(!views.x.empty() && !views.y.empty(), "a forward pass has x and y");
    expect_values(views);
    const auto state = state_of(operation_);
    backend_.expect(views.state.size() == state.size(), "an operation has its state");
    for (std::size_t i = 0; i < state.size(); ++i) {
      backend_.expect(views.state[i].size() == state[i], "state has the operation's sizes");
      backend_.expect_own(views.state[i], "state");
    }
    trained_ = mode == Mode::kTrain ? views.y.data : nullptr;
    op_->forward(mode, views);
  }
  void backward_input(const OperationViews& views) override {
    expect_backward(views);
    backend_.expect_own(ConstMatrix(views.dx), rows_, "dx");
    backend_.expect(views.x.empty() || views.dx.cols == views.x.cols, "dx has the shape of x");
    op_->backward_input(views);
  }
  Fence backward_tensors(const OperationViews& views) override {
    expect_backward(views);
    const auto sizes = tensors_of(operation_);
    backend_.expect(views.gradients.size() == sizes.size(), "each tensor has a gradient");
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      if (views.gradients[i].empty()) continue;  // of a frozen tensor
      backend_.expect(views.gradients[i].size() == sizes[i], "gradients have the sizes of their tensors");
      backend_.expect_own(views.gradients[i], "a gradient");
    }
    const Fence fence = op_->backward_tensors(views);
    backend_.note_fence(fence);
    return fence;
  }
  Fence backward_sgd(const OperationViews& views) override {
    expect_backward(views);
    backend_.expect(!tensors_of(operation_).empty(), "what is updated has tensors");
    return op_->backward_sgd(views);
  }

 private:
  // Checks the views that are given: a backward pass may omit some of them.
  void expect_values(const OperationViews& views) const {
    backend_.expect_in_step();
    if (!views.x.empty()) backend_.expect_own(views.x, rows_, "x");
    if (!views.y.empty()) backend_.expect_own(ConstMatrix(views.y), rows_, "y");
    if (const auto* linear = std::get_if<LinearOperation>(&operation_))
      expect_widths(views, linear->inputs, linear->outputs);
    if (const auto* norm = std::get_if<BatchNormOperation>(&operation_)) {
      expect_widths(views, norm->channels * norm->pixels, norm->channels * norm->pixels);
    }
    if (const auto* pool = std::get_if<PoolOperation>(&operation_))
      expect_widths(views, pool->in.size(), pool->out().size());
    if (const auto* conv = std::get_if<ConvOperation>(&operation_))
      expect_widths(views, conv->in.size(), conv->out().size());
    if (const auto* transposition = std::get_if<TransposeOperation>(&operation_)) {
      const auto width = transposition->rows * transposition->columns;
      expect_widths(views, width, width);
    }
    if (!views.other.empty() && std::holds_alternative<AddOperation>(operation_))
      backend_.expect_own(views.other, rows_, "the other operand");
    const auto sizes = tensors_of(operation_);
    if (views.tensors.empty()) return;
    backend_.expect(views.tensors.size() == sizes.size(), "an operation has its tensors");
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      backend_.expect(views.tensors[i].size() == sizes[i], "tensors have the operation's sizes");
      backend_.expect_own(views.tensors[i], "a tensor");
    }
  }
  void expect_widths(const OperationViews& views, std::int64_t inputs, std::int64_t outputs) const {
    backend_.expect(
        (views.x.empty() || views.x.cols == inputs) && (views.y.empty() || views.y.cols == outputs),
        "x and y have the operation's widths");
  }
  void expect_backward(const OperationViews& views) const {
    expect_values(views);
    if (!views.y.empty())
      backend_.expect(trained_ == views.y.data, "a backward pass follows a forward pass for training");
    backend_.expect_own(views.dy, rows_, "dy");
    backend_.expect(views.y.empty() || views.dy.cols == views.y.cols, "dy has the shape of y");
  }

  CheckedBackend& backend_;
  std::unique_ptr<LayerOp> op_;
  Operation operation_;
  std::int64_t rows_;
  const float* trained_ = nullptr;  // y of the last forward pass, if it was in training mode
};

class CheckedMuonOp final : public MuonOp {
 public:
  CheckedMuonOp(CheckedBackend& backend, std::unique_ptr<MuonOp> op, std::span<const MuonMatrix> matrices)
      : backend_(backend), op_(std::move(op)), matrices_(matrices.begin(), matrices.end()) {}

  void update(const MuonViews& views) override {
    backend_.expect_gradients(views.gradients);
    backend_.expect_own(views.parameters, "parameters");
    backend_.expect_own(views.momentum, "momentum");
    const auto size = views.parameters.size();
    backend_.expect(views.gradients.size() == size && views.momentum.size() == size,
                    "parameters, gradients and momentum have one size");
    for (const auto& matrix : matrices_) {
      backend_.expect(static_cast<std::size_t>(matrix.first + matrix.rows * matrix.cols) <= size,
                      "matrices lie in the parameters");
    }
    op_->update(views);
  }

 private:
  CheckedBackend& backend_;
  std::unique_ptr<MuonOp> op_;
  std::vector<MuonMatrix> matrices_;
};

class CheckedLossOp final : public LossOp {
 public:
  CheckedLossOp(CheckedBackend& backend, std::unique_ptr<LossOp> op, std::int64_t classes, std::int64_t rows)
      : backend_(backend), op_(std::move(op)), classes_(classes), rows_(rows) {}

  void add(ConstMatrix outputs, ConstLabels labels, Matrix doutputs, Metrics* metrics) override {
    backend_.expect_in_step();
    backend_.expect_own(outputs, rows_, "outputs");
    backend_.expect(outputs.cols == classes_, "the loss was prepared for these classes");
    backend_.expect(static_cast<std::int64_t>(labels.size()) == rows_, "each row has a label");
    backend_.expect_own(labels.data(), labels.size(), "labels");
    if (!doutputs.empty()) {
      backend_.expect_own(ConstMatrix(doutputs), rows_, "doutputs");
      backend_.expect(doutputs.cols == classes_, "doutputs has the shape of outputs");
    }
    backend_.expect_own(metrics, sizeof(Metrics), "metrics");
    op_->add(outputs, labels, doutputs, metrics);
  }

 private:
  CheckedBackend& backend_;
  std::unique_ptr<LossOp> op_;
  std::int64_t classes_, rows_;
};

// Tells the backend about the slot's device memory, so that it counts as the backend's.
class CheckedSlot final : public StagingSlot {
 public:
  CheckedSlot(CheckedBackend& backend, std::unique_ptr<StagingSlot> slot)
      : backend_(backend), slot_(std::move(slot)) {}
  ~CheckedSlot() override { backend_.remove_allocation(device_); }

  [[nodiscard]] std::span<std::uint8_t> host() override { return slot_->host(); }
  const std::uint8_t* submit(std::size_t bytes) override {
    device_ = slot_->submit(bytes);
    backend_.add_allocation(device_, slot_->host().size());
    return device_;
  }
  void submit_to(std::uint8_t* to, std::size_t first, std::size_t bytes) override {
    backend_.expect_own(to, bytes, "what is submitted to");
    slot_->submit_to(to, first, bytes);
  }
  void retire() override { slot_->retire(); }
  void wait_until_reusable() override { slot_->wait_until_reusable(); }

 private:
  CheckedBackend& backend_;
  std::unique_ptr<StagingSlot> slot_;
  const std::uint8_t* device_ = nullptr;
};

}  // namespace

std::unique_ptr<LayerOp> checked(CheckedBackend& backend, std::unique_ptr<LayerOp> op,
                                 const Operation& operation, std::int64_t rows) {
  return std::make_unique<CheckedLayerOp>(backend, std::move(op), operation, rows);
}

std::unique_ptr<LossOp> checked(CheckedBackend& backend, std::unique_ptr<LossOp> op, std::int64_t classes,
                                std::int64_t rows) {
  return std::make_unique<CheckedLossOp>(backend, std::move(op), classes, rows);
}

std::unique_ptr<MuonOp> checked(CheckedBackend& backend, std::unique_ptr<MuonOp> op,
                                std::span<const MuonMatrix> matrices) {
  return std::make_unique<CheckedMuonOp>(backend, std::move(op), matrices);
}

std::unique_ptr<StagingSlot> checked(CheckedBackend& backend, std::unique_ptr<StagingSlot> slot) {
  return std::make_unique<CheckedSlot>(backend, std::move(slot));
}

}  // namespace warpfit::test
