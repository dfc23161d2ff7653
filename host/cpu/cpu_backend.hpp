// The CPU as a device: operations run synchronously on a thread pool, with matrix products of oneDNN and
// of our own (AMX).
#pragma once

#include <memory>
#include <optional>

#include "host/backend/backend.hpp"
#include "host/cpu/products.hpp"
#include "host/parallel/sum_thread.hpp"

namespace warpfit {

class CpuBackend final : public Backend {
 public:
  /// `threads`: number of threads; 0 for the number of usable cores. `communicator` must outlive the backend;
  /// null if the process is alone.
  explicit CpuBackend(int threads, Communicator* communicator = nullptr);

  [[nodiscard]] std::string description() const override;
  [[nodiscard]] Communicator& communicator() override { return *communicator_; }
  [[nodiscard]] bool is_host() const override { return true; }

  [[nodiscard]] void* allocate(std::size_t bytes) override;
  void deallocate(void* memory) noexcept override;
  void upload(std::span<const std::byte> from, void* to) override;
  void download(const void* from, std::span<std::byte> to) override;
  [[nodiscard]] std::unique_ptr<StagingSlot> make_staging_slot(std::size_t bytes) override;
  [[nodiscard]] bool should_keep(std::size_t bytes) const override;
  [[nodiscard]] std::unique_ptr<RecordedStep> record(std::function<void()> step) override;

  [[nodiscard]] std::unique_ptr<LayerOp> prepare(const Operation& operation, std::int64_t rows) override;
  [[nodiscard]] std::uint64_t host_bytes(const PlannedOperation& operation, std::int64_t rows,
                                         bool trains) const override;
  [[nodiscard]] std::unique_ptr<LossOp> prepare(const Loss& loss, std::int64_t classes,
                                                std::int64_t rows) override;
  [[nodiscard]] std::unique_ptr<MuonOp> prepare(const Muon& muon,
                                                std::span<const MuonMatrix> matrices) override;
  void load_batch(const PixelTransform& transform, Matrix x, Labels labels) override;
  void load_again(const PixelTransform& transform, Matrix x) override;
  void wait(const Fence&) override;
  [[nodiscard]] Fence sum_over_ranks(Vector values, SumOrder order, const Fence& before) override;
  void clip_gradient_norm(float max_norm, Vector gradients, GradientNorm* norm) override;
  void clip_gradient_value(float limit, Vector gradients) override;
  void add_scaled(float share, ConstVector values, Vector sum) override;
  void clear(Vector values) override;
  void average(double decay, ConstVector parameters, Vector averages, AverageProgress* progress) override;
  void swap(Vector a, Vector b) override;
  void update(const Optimizer& optimizer, const OptimizerViews& views) override;

 private:
  class Step;

  SingleRank alone_;
  Communicator* communicator_;
  std::optional<SumThread> sums_;  // if there are other ranks
  cpu::ThreadPool pool_;
  cpu::Products products_;
  BatchRun run_;  // of the current step; first, rate, step and loss_divisor are those of its batch
};

}  // namespace warpfit
