// An NVIDIA GPU as a device: it owns streams, library handles and recorded steps. An operation is one line
// here; its kernels are in ops/.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "cuda/layer_ops.hpp"
#include "cuda/position.hpp"
#include "cuda/products.hpp"
#include "cuda/rank_sums.hpp"
#include "cuda/runtime/memory.hpp"
#include "cuda/runtime/stream.hpp"
#include "host/backend/backend.hpp"
#include "host/backend/buffer.hpp"

namespace warpfit {

class CudaBackend final : public Backend {
 public:
  /// The device named by `options` must exist. Collective if there are several ranks.
  explicit CudaBackend(const BackendOptions& options);
  ~CudaBackend() override;

  [[nodiscard]] std::string description() const override;
  [[nodiscard]] Communicator& communicator() override { return *communicator_; }

  [[nodiscard]] void* allocate(std::size_t bytes) override;
  void deallocate(void* memory) noexcept override;
  void upload(std::span<const std::byte> from, void* to) override;
  void download(const void* from, std::span<std::byte> to) override;
  [[nodiscard]] std::unique_ptr<StagingSlot> make_staging_slot(std::size_t bytes) override;
  [[nodiscard]] bool should_keep(std::size_t bytes) const override;
  [[nodiscard]] std::unique_ptr<RecordedStep> record(std::function<void()> step) override;
  [[nodiscard]] Compiled compile(const StepPlan& plan) override;

  void begin_range(const char* name, std::int64_t number) override;
  void end_range() noexcept override;
  void attach_thread(const char* name) override;
  void capture_profile(bool on) override;

  [[nodiscard]] std::unique_ptr<LayerOp> prepare(const Operation& operation, std::int64_t rows) override;
  [[nodiscard]] std::unique_ptr<LossOp> prepare(const Loss& loss, std::int64_t classes,
                                                std::int64_t rows) override;
  [[nodiscard]] std::unique_ptr<MuonOp> prepare(const Muon& muon,
                                                std::span<const MuonMatrix> matrices) override;
  void load_batch(const PixelTransform& transform, Matrix x, Labels labels) override;
  void load_again(const PixelTransform& transform, Matrix x) override;
  void wait(const Fence& fence) override;
  [[nodiscard]] Fence sum_over_ranks(Vector values, SumOrder order, const Fence& before) override;
  void clip_gradient_norm(float max_norm, Vector gradients, GradientNorm* norm) override;
  void clip_gradient_value(float limit, Vector gradients) override;
  void add_scaled(float share, ConstVector values, Vector sum) override;
  void clear(Vector values) override;
  void average(double decay, ConstVector parameters, Vector averages, AverageProgress* progress) override;
  void swap(Vector a, Vector b) override;
  void update(const Optimizer& optimizer, const OptimizerViews& views) override;

  /// After an error: ends sums that wait for other ranks, and waits for the rest of the queued work, so that
  /// memory can be freed. This rank cannot train any more.
  void abandon_sums() noexcept;
  /// Makes work that is queued from now on wait for all fences. Called by copies and at the end of a step.
  void join();
  [[nodiscard]] const Stream& compute() const { return compute_; }
  [[nodiscard]] Position* position() const { return position_.data(); }

 private:
  /// For destructors: waits for all queued work, but ends sums if an exception is being thrown. Ignores
  /// errors.
  void drain() noexcept;
  /// The compute stream, after join().
  [[nodiscard]] cudaStream_t joined();
  [[nodiscard]] OpContext op_context();

  SingleRank alone_;
  Communicator* communicator_;
  int device_;
  Precision precision_;
  bool fast_;
  std::function<void(std::string_view)> warn_;
  Stream compute_{"compute"};
  Stream copy_{"copy"};
  Products products_;
  std::optional<RankSums> sums_;  // if gradients are summed over ranks
  std::optional<DnnHandle> dnn_;
  Buffer<Position> position_;
  Buffer<unsigned> arrived_;
  bool warned_of_pageable_ = false;
};

}  // namespace warpfit
