// The CPU as a device: every operation done when called, threads from a pool, products from oneDNN.
#pragma once

#include <vector>

#include "host/backend/backend.hpp"
#include "host/cpu/products.hpp"

namespace warpfit {

class CpuBackend final : public Backend {
 public:
  /// `threads`: 0 for as many as there are usable cores.
  explicit CpuBackend(int threads);

  [[nodiscard]] std::string description() const override;
  [[nodiscard]] bool is_host() const override { return true; }

  [[nodiscard]] void* allocate(std::size_t bytes) override;
  void deallocate(void* memory) noexcept override;
  void upload(std::span<const std::byte> from, void* to) override;
  void download(const void* from, std::span<std::byte> to) override;
  [[nodiscard]] std::unique_ptr<StagingSlot> make_staging_slot(std::size_t bytes) override;
  [[nodiscard]] bool should_keep(std::size_t bytes) const override;
  [[nodiscard]] std::unique_ptr<RecordedStep> record(std::function<void()> step) override;

  void load_batch(Matrix x, Labels labels) override;
  void linear_forward(ConstMatrix x, ConstMatrix w, ConstVector b, ActivationKind activation,
                      Matrix y) override;
  void linear_backward_input(ConstMatrix dy, ConstMatrix w, ConstMatrix x, ActivationKind activation,
                             Matrix dx) override;
  void linear_backward_weights(ConstMatrix x, ConstMatrix dy, Matrix dw, Vector db) override;
  void sgd_update(Vector parameters, ConstVector gradients) override;
  void clip_gradient_norm(float most, Vector gradients, GradientNorm* norm) override;
  void clip_gradient_value(float most, Vector gradients) override;
  void optimizer_update(const Optimizer& optimizer, const OptimizerViews& views) override;
  void linear_backward_sgd(ConstMatrix x, ConstMatrix dy, Matrix w, Vector b) override;
  void dropout(const DropoutMask& dropout, Matrix values) override;
  void softmax_cross_entropy(ConstMatrix logits, ConstLabels labels, float label_smoothing, Matrix dlogits,
                             Metrics* metrics) override;
  void mean_squared_error(ConstMatrix outputs, ConstLabels labels, Matrix doutputs,
                          Metrics* metrics) override;

 private:
  class Step;
  Vector row_losses(std::int64_t rows);

  cpu::ThreadPool pool_;
  cpu::Products products_;
  BatchRun run_;                   // the run of the current step; first, rate and step are those of its batch
  std::vector<float> row_losses_;  // scratch of the losses
};

}  // namespace warpfit
