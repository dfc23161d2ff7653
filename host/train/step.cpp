#include "host/train/step.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "host/train/parameter_average.hpp"

namespace warpfit {
namespace {

void load(Backend& backend, const PixelTransform& input, const Batch& batch) {
  const ProfileRange range(backend, "upload");
  backend.load_batch(input, batch.inputs, batch.labels);
}

void forward(Backend& backend, const Batch& batch, Mode mode) {
  const ProfileRange range(backend, "forward");
  for (const auto& operation : batch.operations) operation.op->forward(mode, operation.views);
}

void add_loss(Backend& backend, const Batch& batch, Matrix outputs, Matrix doutputs, Metrics* metrics) {
  const ProfileRange range(backend, "loss");
  batch.loss->add(outputs, batch.labels, doutputs, metrics);
}

Fence update(Backend& backend, const Batch::Operation& operation) {
  const ProfileRange range(backend, "update");
  return operation.op->backward_sgd(operation.views);
}

// Sums gradients over ranks in buckets of the memory that the backward pass has completed, from its end to
// its beginning, while the pass goes on.
class GradientBuckets {
 public:
  GradientBuckets(Backend& backend, Vector gradients, SumOrder order)
      : backend_(backend), pending_(gradients), order_(order), first_(gradients.size()) {}

  // To be called when the gradients of an operation, and all of later ones, are complete after `fence`.
  Fence completed(const Batch::Operation& operation, const Fence& fence) {
    for (const Vector gradient : operation.gradients) {
      if (!gradient.empty())
        first_ = std::min(first_, static_cast<std::size_t>(gradient.data() - pending_.data()));
    }
    return (pending_.size() - first_) * sizeof(float) >= kBytes ? sum_from(first_, fence) : fence;
  }
  Fence sum_rest(const Fence& fence) { return sum_from(0, fence); }

 private:
  static constexpr std::size_t kBytes = std::size_t{4} << 20;

  Fence sum_from(std::size_t first, Fence fence) {
    const auto bucket = pending_.subspan(first);
    pending_ = pending_.first(first);
    if (!bucket.empty()) fence |= backend_.sum_over_ranks(bucket, order_, fence);
    return fence;
  }

  Backend& backend_;
  Vector pending_;
  SumOrder order_;
  std::size_t first_;  // completed gradients begin here
};

// The input gradient of an operation is computed first, because it needs the tensors before their update. The
// returned fence covers the gradients of all tensors, or their updates.
Fence backward(Backend& backend, const Batch& batch, const TrainingRule& rule, Phase last) {
  const ProfileRange range(backend, "backward");
  if (batch.inputs.rows == 0) backend.clear(batch.gradients);  // this rank has no rows of the batch
  Fence fence;
  std::optional<GradientBuckets> buckets;
  if (rule.sums_over_ranks && rule.gradient_sum.empty() && rule.sum_order == SumOrder::kFastest)
    buckets.emplace(backend, batch.gradients, rule.sum_order);
  for (auto i = batch.operations.size(); i-- > 0;) {
    const auto& operation = batch.operations[i];
    if (operation.has_input_gradient) operation.op->backward_input(operation.views);
    if (!operation.trains) continue;
    if (rule.optimizer != nullptr) {
      fence |= operation.op->backward_tensors(operation.views);
      if (buckets) fence |= buckets->completed(operation, fence);
    } else if (last >= Phase::kUpdate) {
      fence |= update(backend, operation);
    }
  }
  if (buckets) fence |= buckets->sum_rest(fence);
  return fence;
}

void sum_over_ranks(Backend& backend, Vector gradients, const TrainingRule& rule) {
  backend.wait(backend.sum_over_ranks(gradients, rule.sum_order, {}));
}

// With ordered sums: returns whether the gradients of the batch are complete.
bool add_parts(Backend& backend, Vector gradients, const TrainingRule& rule) {
  for (const Vector earlier : rule.earlier_parts) backend.add_scaled(1, earlier, gradients);
  if (!rule.kept_in.empty()) {
    backend.swap(gradients, rule.kept_in);
    return false;
  }
  sum_over_ranks(backend, gradients, rule);
  return true;
}

void clip(Backend& backend, Vector gradients, const TrainingRule& rule) {
  if (rule.norm != nullptr) {
    const float max_norm =
        rule.clipping.norm > 0 ? rule.clipping.norm : std::numeric_limits<float>::infinity();
    backend.clip_gradient_norm(max_norm, gradients, rule.norm);
  }
  if (rule.clipping.value > 0) backend.clip_gradient_value(rule.clipping.value, gradients);
}

}  // namespace

void train_step(Backend& backend, const Network& network, const Batch& batch, const TrainingRule& rule,
                Metrics* metrics, Phase last) {
  const ProfileRange range(backend, "step");
  load(backend, rule.input, batch);
  if (last >= Phase::kForward) forward(backend, batch, Mode::kTrain);
  if (last >= Phase::kLoss) add_loss(backend, batch, batch.outputs, batch.doutputs, metrics);
  if (last < Phase::kBackward) return;
  backend.wait(backward(backend, batch, rule, last));
  if (last < Phase::kUpdate || rule.optimizer == nullptr) return;
  const ProfileRange update(backend, "update");
  const bool is_ordered = rule.sum_order == SumOrder::kTree;
  if (is_ordered && !add_parts(backend, batch.gradients, rule)) return;
  const bool sums_up = !rule.gradient_sum.empty();
  if (sums_up) backend.add_scaled(rule.share, batch.gradients, rule.gradient_sum);
  if (!rule.updates) return;
  if (sums_up && rule.sums_over_ranks && !is_ordered) sum_over_ranks(backend, rule.gradient_sum, rule);
  const Vector gradients = sums_up ? rule.gradient_sum : batch.gradients;
  clip(backend, gradients, rule);
  rule.optimizer->update(network.parameters().view(), gradients);
  if (rule.average != nullptr) rule.average->add();
  if (sums_up) backend.clear(rule.gradient_sum);
}

void evaluation_step(Backend& backend, const Batch& batch, Metrics* metrics, const PixelTransform& input) {
  const TestView view{input};
  inference_step(backend, batch, {&view, 1}, batch.outputs, metrics);
}

void inference_step(Backend& backend, const Batch& batch, std::span<const TestView> views, Matrix mean,
                    Metrics* metrics) {
  const ProfileRange range(backend, "step");
  const bool sums_up = views.size() > 1;
  load(backend, views.front().input, batch);
  if (sums_up) backend.clear(mean.values());
  for (const auto& view : views) {
    if (&view != views.data()) backend.load_again(view.input, batch.inputs);
    forward(backend, batch, Mode::kEvaluate);
    if (sums_up) backend.add_scaled(view.share, batch.outputs.values(), mean.values());
  }
  if (batch.loss) add_loss(backend, batch, mean, Matrix{}, metrics);
}

Result result_of(const Metrics& metrics, std::int64_t samples) {
  return {metrics.loss_sum / static_cast<double>(metrics.batches), metrics.correct, samples};
}

StepRunner::StepRunner(Backend& backend, const Workspace& workspace, const std::optional<Loss>& loss,
                       Step step)
    : backend_(backend), workspace_(workspace), loss_(loss), step_(std::move(step)), metrics_(backend, 1) {
  clear_metrics();
}

bool StepRunner::compile(StepPlan plan, std::string& reason) {
  plan.metrics = metrics_.data();
  auto compiled = backend_.compile(plan);
  compiled_ = std::move(compiled.step);
  reason = std::move(compiled.reason);
  return compiled_ != nullptr;
}

std::vector<KernelPhase> StepRunner::take_kernel_phases() const {
  return compiled_ ? compiled_->take_kernel_phases() : std::vector<KernelPhase>();
}

void StepRunner::run(const BatchRun& run) {
  if (compiled_) {
    compiled_->run(run);
    return;
  }
  auto& recorded = recorded_[run.rows];
  if (!recorded.step) {
    recorded.batch = workspace_.prepare(run.rows, loss_);
    recorded.step = backend_.record([this, batch = recorded.batch.get()] { step_(*batch, metrics_.data()); });
  }
  recorded.step->run(run);
}

void StepRunner::set_metrics(Metrics metrics) {
  metrics.losses = losses_.data();
  metrics_.upload(std::vector{metrics});
}

void StepRunner::keep_losses(std::int64_t batches) {
  losses_ = {backend_, static_cast<std::size_t>(batches)};
  clear_metrics();
}

std::vector<float> StepRunner::losses(std::int64_t first, std::int64_t count) const {
  std::vector<float> losses(static_cast<std::size_t>(count));
  backend_.download(losses_.data() + first, std::as_writable_bytes(std::span(losses)));
  return losses;
}

Metrics StepRunner::read_metrics() const { return metrics_.to_host().front(); }

}  // namespace warpfit
