#include "tests/support/checked_backend.hpp"

#include <fmt/core.h>

#include <stdexcept>
#include <utility>

#include "tests/support/checked_ops.hpp"

namespace warpfit::test {
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
  expect_in_step();
  expect_own(gradients, "gradients");
  expect(!gradients_pending_, "gradients are used after their fence was waited for");
}

void* CheckedBackend::allocate(std::size_t bytes) {
  expect_outside_step();
  void* memory = backend_->allocate(bytes);
  add_allocation(memory, bytes);
  return memory;
}

void CheckedBackend::deallocate(void* memory) noexcept {
  remove_allocation(memory);
  backend_->deallocate(memory);
}

void CheckedBackend::upload(std::span<const std::byte> from, void* to) {
  expect_outside_step();
  expect_own(to, from.size(), "what is uploaded to");
  backend_->upload(from, to);
}

void CheckedBackend::download(const void* from, std::span<std::byte> to) {
  expect_outside_step();
  expect_own(from, to.size(), "what is downloaded");
  ++downloads_;
  backend_->download(from, to);
}

std::unique_ptr<StagingSlot> CheckedBackend::make_staging_slot(std::size_t bytes) {
  expect_outside_step();
  return checked(*this, backend_->make_staging_slot(bytes));
}

std::unique_ptr<RecordedStep> CheckedBackend::record(std::function<void()> step) {
  expect_outside_step();
  return backend_->record([this, step = std::move(step)] {
    expect(!in_step_, "a step is not part of another");
    struct StepScope {
      CheckedBackend& backend;
      ~StepScope() {
        backend.in_step_ = backend.gradients_pending_ = backend.loaded_ = false;
      }  // every step waits for its fences before it ends
    } scope{*this};
    in_step_ = true;
    step();
  });
}

std::unique_ptr<LayerOp> CheckedBackend::prepare(const Operation& operation, std::int64_t rows) {
  expect_outside_step();
  return checked(*this, backend_->prepare(operation, rows), operation, rows);
}

std::unique_ptr<LossOp> CheckedBackend::prepare(const Loss& loss, std::int64_t classes, std::int64_t rows) {
  expect_outside_step();
  expect(loss.class_weights.empty() || static_cast<std::int64_t>(loss.class_weights.size()) == classes,
         "each class has a weight, or none");
  return checked(*this, backend_->prepare(loss, classes, rows), classes, rows);
}

std::unique_ptr<MuonOp> CheckedBackend::prepare(const Muon& muon, std::span<const MuonMatrix> matrices) {
  expect_outside_step();
  return checked(*this, backend_->prepare(muon, matrices), matrices);
}

void CheckedBackend::load_batch(const PixelTransform& transform, Matrix x, Labels labels) {
  expect_in_step();
  expect_own(ConstMatrix(x), static_cast<std::int64_t>(labels.size()), "x");
  expect_own(labels.data(), labels.size(), "labels");
  expect(transform.is_plain() || transform.image.size() == x.cols,
         "samples have the size of the transform's image");
  backend_->load_batch(transform, x, labels);
  loaded_ = true;
}

void CheckedBackend::load_again(const PixelTransform& transform, Matrix x) {
  expect_in_step();
  expect(loaded_, "a batch is loaded before it is loaded again");
  expect_own(ConstMatrix(x), x.rows, "x");
  expect(transform.is_plain() || transform.image.size() == x.cols,
         "samples have the size of the transform's image");
  backend_->load_again(transform, x);
}

void CheckedBackend::wait(const Fence& fence) {
  expect_in_step();
  if (fence.is_open()) gradients_pending_ = false;
  backend_->wait(fence);
}

Fence CheckedBackend::sum_over_ranks(Vector values, SumOrder order, const Fence& before) {
  expect_in_step();
  expect_own(values, "what is summed over ranks");
  expect(before.is_open() || !gradients_pending_, "gradients are summed after their fence");
  const Fence fence = backend_->sum_over_ranks(values, order, before);
  note_fence(fence);
  return fence;
}

void CheckedBackend::add_scaled(float share, ConstVector gradients, Vector sum) {
  expect_gradients(gradients);
  expect_own(sum, "a sum of gradients");
  expect(gradients.size() == sum.size(), "gradients and their sum have one size");
  backend_->add_scaled(share, gradients, sum);
}

void CheckedBackend::clear(Vector values) {
  expect_in_step();
  expect_own(values, "what is cleared");
  backend_->clear(values);
}

void CheckedBackend::average(double decay, ConstVector parameters, Vector averages,
                             AverageProgress* progress) {
  expect_in_step();
  expect_own(parameters, "parameters");
  expect_own(averages, "averages");
  expect(parameters.size() == averages.size(), "parameters and averages have one size");
  expect_own(progress, sizeof(AverageProgress), "an average's progress");
  backend_->average(decay, parameters, averages, progress);
}

void CheckedBackend::swap(Vector a, Vector b) {
  expect_in_step();
  expect_own(a, "what is swapped");
  expect_own(b, "what is swapped");
  expect(a.size() == b.size(), "what is swapped has one size");
  backend_->swap(a, b);
}

void CheckedBackend::clip_gradient_norm(float max_norm, Vector gradients, GradientNorm* norm) {
  expect_gradients(gradients);
  expect_own(norm, sizeof(GradientNorm), "a norm");
  backend_->clip_gradient_norm(max_norm, gradients, norm);
}

void CheckedBackend::clip_gradient_value(float limit, Vector gradients) {
  expect_gradients(gradients);
  backend_->clip_gradient_value(limit, gradients);
}

void CheckedBackend::update(const Optimizer& optimizer, const OptimizerViews& views) {
  expect_gradients(views.gradients);
  expect_own(views.parameters, "parameters");
  expect(views.parameters.size() == views.gradients.size(), "parameters and gradients have one size");
  const auto kept = moments_of(optimizer);
  for (std::size_t k = 0; k < kMaxMoments; ++k) {
    expect(views.moments[k].size() == (kept[k] ? views.parameters.size() : 0),
           "an optimizer has the moments that it keeps");
    if (kept[k]) expect_own(views.moments[k], "a moment");
  }
  expect(views.rate_factor == 1 || !views.ranges.empty(), "all parameters have the run's learning rate");
  if (!views.ranges.empty()) expect_own(views.ranges.data(), views.ranges.size_bytes(), "ranges");
  if (!is_plain_sgd(optimizer) || !views.ranges.empty())
    expect_own(views.progress, sizeof(OptimizerProgress), "an optimizer's progress");
  backend_->update(optimizer, views);
}

}  // namespace warpfit::test
