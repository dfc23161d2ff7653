// Each test violates one rule of the interface.
#include "tests/support/checked_backend.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "host/backend/buffer.hpp"
#include "host/run/make_backend.hpp"
#include "tests/support/backends.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class CheckedBackendTest : public testing::Test {
 protected:
  static constexpr std::int64_t kRows = 2, kInputs = 3, kOutputs = 4;

  CheckedBackendTest()
      : backend_(make_backend({.device = {DeviceChoice::Kind::kCpu}})),
        memory_(backend_, std::vector<float>(64)),
        labels_(backend_, std::vector<Label>(kRows)),
        metrics_(backend_, std::vector<Metrics>(1)),
        norm_(backend_, std::vector<GradientNorm>(1)),
        op_(backend_.prepare(LinearOperation{.inputs = kInputs, .outputs = kOutputs}, kRows)),
        loss_(backend_.prepare(Loss{}, kOutputs, kRows)),
        tensors_{part(0, kInputs * kOutputs), part(12, kOutputs)},
        gradients_{part(16, kInputs * kOutputs), part(28, kOutputs)} {
    views_ = {.x = {part(32, 6).data(), kRows, kInputs},
              .y = {part(38, 8).data(), kRows, kOutputs},
              .dy = {part(46, 8).data(), kRows, kOutputs},
              .dx = {part(54, 6).data(), kRows, kInputs},
              .tensors = tensors_,
              .gradients = gradients_};
  }

  [[nodiscard]] Vector part(std::size_t first, std::size_t size) const {
    return memory_.view().subspan(first, size);
  }

  void step(const std::function<void()>& operations) { run_once(backend_, operations, one_batch(kRows)); }
  void expect_broken(const std::function<void()>& operations, const std::string& rule) {
    EXPECT_THAT([&] { step(operations); }, ThrowsMessage<std::logic_error>(HasSubstr(rule)));
  }

  CheckedBackend backend_;
  Buffer<float> memory_;
  Buffer<Label> labels_;
  Buffer<Metrics> metrics_;
  Buffer<GradientNorm> norm_;
  std::unique_ptr<LayerOp> op_;
  std::unique_ptr<LossOp> loss_;
  std::vector<Vector> tensors_, gradients_;
  OperationViews views_;
};

TEST_F(CheckedBackendTest, LetsAWholeStepPass) {
  EXPECT_NO_THROW(step([&] {
    op_->forward(Mode::kTrain, views_);
    loss_->add(views_.y, labels_.view(), {part(46, 8).data(), kRows, kOutputs}, metrics_.data());
    op_->backward_input(views_);
    backend_.wait(op_->backward_tensors(views_));
    backend_.clip_gradient_value(1, part(16, 16));
    backend_.update(Sgd{}, {part(0, 16), part(16, 16), {}, nullptr});
  }));
  EXPECT_EQ(metrics_.to_host().front().batches, 1);
}

TEST_F(CheckedBackendTest, WantsOperationsInsideAStep) {
  const auto inside = ThrowsMessage<std::logic_error>(HasSubstr("operations are called inside a step"));
  EXPECT_THAT([&] { op_->forward(Mode::kTrain, views_); }, inside);
  EXPECT_THAT([&] { backend_.clear(part(0, 4)); }, inside);
  EXPECT_THAT([&] { loss_->add(views_.y, labels_.view(), {}, metrics_.data()); }, inside);
}

TEST_F(CheckedBackendTest, WantsMemoryAndCopiesOutsideOfSteps) {
  expect_broken([&] { Buffer<float>(backend_, 4); }, "nothing inside a step allocates");
  expect_broken([&] { (void)memory_.to_host(); }, "nothing inside a step allocates");
  expect_broken([&] { (void)backend_.prepare(Loss{}, 2, 2); }, "nothing inside a step allocates");
}

TEST_F(CheckedBackendTest, WantsItsOwnMemory) {
  std::vector<float> elsewhere(8);
  expect_broken([&] { backend_.clear(elsewhere); }, "what is cleared lies in memory of this backend");
  expect_broken([&] { backend_.clear({memory_.data() + 60, 8}); }, "lies in memory of this backend");
  views_.y.data = elsewhere.data();
  expect_broken([&] { op_->forward(Mode::kEvaluate, views_); }, "y lies in memory of this backend");
}

TEST_F(CheckedBackendTest, WantsShapesThatFit) {
  auto views = views_;
  views.x.rows = 1;
  expect_broken([&] { op_->forward(Mode::kTrain, views); }, "x has the rows that were prepared for");
  views = views_;
  views.y.cols = 3;
  expect_broken([&] { op_->forward(Mode::kTrain, views); }, "x and y have the operation's widths");
  views = views_;
  views.tensors = std::span(tensors_).first(1);
  expect_broken([&] { op_->forward(Mode::kTrain, views); }, "an operation has its tensors");
  const std::vector<Vector> small{part(16, 11), part(28, kOutputs)};
  views = views_;
  views.gradients = small;
  expect_broken(
      [&] {
        op_->forward(Mode::kTrain, views);
        op_->backward_tensors(views);
      },
      "gradients have the sizes of their tensors");
  expect_broken(
      [&] {
        loss_->add({views_.y.data, kRows, 3}, labels_.view(), {}, metrics_.data());
      },
      "prepared for these classes");
  expect_broken([&] { loss_->add(views_.y, labels_.view(1), {}, metrics_.data()); }, "each row has a label");
  expect_broken([&] { backend_.swap(part(0, 4), part(4, 5)); }, "what is swapped has one size");
  expect_broken(
      [&] {
        backend_.update(Adam{}, {part(0, 4), part(4, 4), {}, nullptr});
      },
      "the moments that it keeps");
  EXPECT_THAT([&] { (void)backend_.prepare(Loss{.class_weights = {1}}, 2, 2); },
              ThrowsMessage<std::logic_error>(HasSubstr("each class has a weight")));
}

TEST_F(CheckedBackendTest, WantsAForwardPassForTrainingFirst) {
  expect_broken([&] { op_->backward_input(views_); }, "a backward pass follows a forward pass for training");
  expect_broken(
      [&] {
        op_->forward(Mode::kEvaluate, views_);
        op_->backward_input(views_);
      },
      "a backward pass follows a forward pass for training");
}

TEST_F(CheckedBackendTest, WantsFencesToBeWaitedFor) {
  backend_.note_fence(Fence(true));
  expect_broken([&] { backend_.clip_gradient_norm(1, part(16, 16), norm_.data()); },
                "gradients are used after their fence was waited for");
  backend_.note_fence(Fence(true));
  EXPECT_NO_THROW(step([&] {
    backend_.wait(Fence(true));
    backend_.clip_gradient_norm(1, part(16, 16), norm_.data());
  }));
}

}  // namespace
}  // namespace warpfit::test
