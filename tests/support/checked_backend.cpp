#include "tests/support/checked_backend.hpp"

#include <fmt/core.h>

#include <stdexcept>
#include <variant>
#include <vector>

namespace warpfit::test {
namespace {

// The sizes of an operation's tensors.
std::vector<std::size_t> tensors_of(const Operation& operation) {
  const auto* linear = std::get_if<LinearOperation>(&operation);
  if (linear == nullptr) return {};
  std::vector<std::size_t> sizes{static_cast<std::size_t>(linear->inputs * linear->outputs)};
  if (linear->bias) sizes.push_back(static_cast<std::size_t>(linear->outputs));
  return sizes;
}

class CheckedLayerOp final : public LayerOp {
 public:
  CheckedLayerOp(CheckedBackend& backend, std::unique_ptr<LayerOp> op, const Operation& operation,
                 std::int64_t rows)
      : backend_(backend), op_(std::move(op)), operation_(operation), rows_(rows) {}

  void forward(Mode mode, const OperationViews& views) override {
    backend_.expect(!views.x.empty() && !views.y.empty(), "a forward pass has x and y");
    expect_values(views);
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
      backend_.expect(views.gradients[i].size() == sizes[i], "gradients have the sizes of their tensors");
      backend_.expect_own(views.gradients[i], "a gradient");
    }
    const Fence fence = op_->backward_tensors(views);
    backend_.opened(fence);
    return fence;
  }
  Fence backward_sgd(const OperationViews& views) override {
    expect_backward(views);
    backend_.expect(!tensors_of(operation_).empty(), "what is updated has tensors");
    return op_->backward_sgd(views);
  }

 private:
  // Of what is given: a backward pass need not have all.
  void expect_values(const OperationViews& views) const {
    backend_.expect_inside();
    if (!views.x.empty()) backend_.expect_own(views.x, rows_, "x");
    if (!views.y.empty()) backend_.expect_own(ConstMatrix(views.y), rows_, "y");
    if (const auto* linear = std::get_if<LinearOperation>(&operation_)) {
      backend_.expect((views.x.empty() || views.x.cols == linear->inputs) &&
                          (views.y.empty() || views.y.cols == linear->outputs),
                      "x and y have the operation's widths");
    }
    const auto sizes = tensors_of(operation_);
    if (views.tensors.empty()) return;
    backend_.expect(views.tensors.size() == sizes.size(), "an operation has its tensors");
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      backend_.expect(views.tensors[i].size() == sizes[i], "tensors have the operation's sizes");
      backend_.expect_own(views.tensors[i], "a tensor");
    }
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
  const float* trained_ = nullptr;  // y of the last forward pass, if that was for training
};

class CheckedLossOp final : public LossOp {
 public:
  CheckedLossOp(CheckedBackend& backend, std::unique_ptr<LossOp> op, std::int64_t classes, std::int64_t rows)
      : backend_(backend), op_(std::move(op)), classes_(classes), rows_(rows) {}

  void add(ConstMatrix outputs, ConstLabels labels, Matrix doutputs, Metrics* metrics) override {
    backend_.expect_inside();
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

// Its place on the device is memory of the backend too.
class CheckedSlot final : public StagingSlot {
 public:
  CheckedSlot(CheckedBackend& backend, std::unique_ptr<StagingSlot> slot)
      : backend_(backend), slot_(std::move(slot)) {}
  ~CheckedSlot() override { backend_.disown(device_); }

  [[nodiscard]] std::span<std::uint8_t> host() override { return slot_->host(); }
  const std::uint8_t* submit(std::size_t bytes) override {
    device_ = slot_->submit(bytes);
    backend_.own(device_, slot_->host().size());
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

void CheckedBackend::expect(bool holds, const std::string& rule) const {
  if (!holds) throw std::logic_error(fmt::format("the backend's rule is broken: {}", rule));
}

void CheckedBackend::expect_own(const void* memory, std::size_t bytes, const std::string& what) const {
  const auto* first = static_cast<const std::byte*>(memory);
  auto found = allocations_.upper_bound(first);
  const bool is_own =
      found != allocations_.begin() && (--found, first + bytes <= found->first + found->second);
  expect(is_own, fmt::format("{} lies in memory of this backend", what));
}

void CheckedBackend::expect_own(ConstVector values, const std::string& what) const {
  expect_own(values.data(), values.size_bytes(), what);
}

void CheckedBackend::expect_own(ConstMatrix matrix, std::int64_t rows, const std::string& what) const {
  expect(matrix.rows == rows, fmt::format("{} has the rows that were prepared for", what));
  expect_own(matrix.data, static_cast<std::size_t>(matrix.size()) * sizeof(float), what);
}

void CheckedBackend::expect_gradients(ConstVector gradients) const {
  expect_inside();
  expect_own(gradients, "gradients");
  expect(!open_, "gradients are used after their fence was waited for");
}

void* CheckedBackend::allocate(std::size_t bytes) {
  expect_outside();
  void* memory = backend_->allocate(bytes);
  own(memory, bytes);
  return memory;
}

void CheckedBackend::deallocate(void* memory) noexcept {
  disown(memory);
  backend_->deallocate(memory);
}

void CheckedBackend::upload(std::span<const std::byte> from, void* to) {
  expect_outside();
  expect_own(to, from.size(), "what is uploaded to");
  backend_->upload(from, to);
}

void CheckedBackend::download(const void* from, std::span<std::byte> to) {
  expect_outside();
  expect_own(from, to.size(), "what is downloaded");
  backend_->download(from, to);
}

std::unique_ptr<StagingSlot> CheckedBackend::make_staging_slot(std::size_t bytes) {
  expect_outside();
  return std::make_unique<CheckedSlot>(*this, backend_->make_staging_slot(bytes));
}

std::unique_ptr<RecordedStep> CheckedBackend::record(std::function<void()> step) {
  expect_outside();
  return backend_->record([this, step = std::move(step)] {
    expect(!inside_, "a step is not part of another");
    struct Inside {
      CheckedBackend& backend;
      ~Inside() { backend.inside_ = backend.open_ = false; }  // a step waits for its fences at its end
    } inside{*this};
    inside_ = true;
    step();
  });
}

std::unique_ptr<LayerOp> CheckedBackend::prepare(const Operation& operation, std::int64_t rows) {
  expect_outside();
  return std::make_unique<CheckedLayerOp>(*this, backend_->prepare(operation, rows), operation, rows);
}

std::unique_ptr<LossOp> CheckedBackend::prepare(const Loss& loss, std::int64_t classes, std::int64_t rows) {
  expect_outside();
  expect(loss.class_weights.empty() || static_cast<std::int64_t>(loss.class_weights.size()) == classes,
         "each class has a weight, or none");
  return std::make_unique<CheckedLossOp>(*this, backend_->prepare(loss, classes, rows), classes, rows);
}

void CheckedBackend::load_batch(Matrix x, Labels labels) {
  expect_inside();
  expect_own(ConstMatrix(x), static_cast<std::int64_t>(labels.size()), "x");
  expect_own(labels.data(), labels.size(), "labels");
  backend_->load_batch(x, labels);
}

void CheckedBackend::wait(const Fence& fence) {
  expect_inside();
  if (fence.is_open()) open_ = false;
  backend_->wait(fence);
}

void CheckedBackend::add_gradients(float share, ConstVector gradients, Vector sum) {
  expect_gradients(gradients);
  expect_own(sum, "a sum of gradients");
  expect(gradients.size() == sum.size(), "gradients and their sum have one size");
  backend_->add_gradients(share, gradients, sum);
}

void CheckedBackend::clear(Vector values) {
  expect_inside();
  expect_own(values, "what is cleared");
  backend_->clear(values);
}

void CheckedBackend::average(double decay, ConstVector parameters, Vector averages,
                             AverageProgress* progress) {
  expect_inside();
  expect_own(parameters, "parameters");
  expect_own(averages, "averages");
  expect(parameters.size() == averages.size(), "parameters and averages have one size");
  expect_own(progress, sizeof(AverageProgress), "an average's progress");
  backend_->average(decay, parameters, averages, progress);
}

void CheckedBackend::swap(Vector a, Vector b) {
  expect_inside();
  expect_own(a, "what is swapped");
  expect_own(b, "what is swapped");
  expect(a.size() == b.size(), "what is swapped has one size");
  backend_->swap(a, b);
}

void CheckedBackend::clip_gradient_norm(float most, Vector gradients, GradientNorm* norm) {
  expect_gradients(gradients);
  expect_own(norm, sizeof(GradientNorm), "a norm");
  backend_->clip_gradient_norm(most, gradients, norm);
}

void CheckedBackend::clip_gradient_value(float most, Vector gradients) {
  expect_gradients(gradients);
  backend_->clip_gradient_value(most, gradients);
}

void CheckedBackend::update(const Optimizer& optimizer, const OptimizerViews& views) {
  expect_gradients(views.gradients);
  expect_own(views.parameters, "parameters");
  expect(views.parameters.size() == views.gradients.size(), "parameters and gradients have one size");
  const auto kept = moments_of(optimizer);
  for (std::size_t k = 0; k < kMostMoments; ++k) {
    expect(views.moments[k].size() == (kept[k] ? views.parameters.size() : 0),
           "an optimizer has the moments that it keeps");
    if (kept[k]) expect_own(views.moments[k], "a moment");
  }
  if (!is_plain_sgd(optimizer))
    expect_own(views.progress, sizeof(OptimizerProgress), "an optimizer's progress");
  backend_->update(optimizer, views);
}

}  // namespace warpfit::test
