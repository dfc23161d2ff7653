#include "host/train/training_steps.hpp"

#include <algorithm>
#include <vector>

#include "host/base/error.hpp"
#include "host/train/parameter_groups.hpp"
#include "host/train/training_data.hpp"

namespace warpfit {
namespace {

bool measures_norm_of(const TrainOptions& options, const NetworkPlan& network) {
  return !is_update_fused(options, network) && (options.clipping.norm > 0 || options.measure_norm);
}

}  // namespace

bool is_update_fused(const TrainOptions& options, const NetworkPlan& network) {
  const bool clips = options.clipping.norm > 0 || options.clipping.value > 0;
  const bool trains_all = std::ranges::all_of(network.tensors, &PlannedTensor::requires_grad);
  return options.fuse_update && is_plain_sgd(options.optimizer) && !options.muon && !clips &&
         options.accumulate == 1 && options.ema == 0 && trains_all && options.rate_factors.empty();
}

TrainingSteps::TrainingSteps(Backend& backend, Network& network, const Workspace& workspace,
                             const TrainOptions& options, std::int64_t batches_per_epoch)
    : backend_(backend),
      network_(network),
      workspace_(workspace),
      input_(training_input(network.plan(), options)),
      loss_(options.loss),
      clipping_(options.clipping),
      accumulate_(options.accumulate),
      batches_per_epoch_(batches_per_epoch),
      fuses_update_(is_update_fused(options, network.plan())),
      optimizer_(backend, parameter_groups(network.plan(), options), network.plan().floats),
      average_(backend, network, options),
      norm_(measures_norm_of(options, network.plan())
                ? Buffer<GradientNorm>(backend, std::vector<GradientNorm>(1))
                : Buffer<GradientNorm>()),
      gradient_sum_(options.accumulate > 1 ? Buffer<float>(backend, std::vector<float>(network.plan().floats))
                                           : Buffer<float>()),
      training_(backend, workspace, options.loss, step(true)),
      accumulating_(backend, workspace, options.loss, step(false)) {
  training_.keep_losses(batches_per_epoch);
}

TrainingRule TrainingSteps::rule(bool updates) const {
  return {.input = input_,
          .loss = loss_,
          .optimizer = fuses_update_ ? nullptr : &optimizer_,
          .clipping = clipping_,
          .norm = norm_.data(),
          .average = average_.is_of_steps() ? &average_ : nullptr,
          .gradient_sum = gradient_sum_.view(),
          .share = 1.0F / static_cast<float>(accumulate_),
          .updates = updates};
}

Step TrainingSteps::step(bool updates) {
  return [this, rule = rule(updates)](const Batch& batch, Metrics*) {
    train_step(backend_, network_, batch, rule, training_.metrics());
  };
}

bool TrainingSteps::compile(std::string& reason) {
  return training_.compile(training_plan(network_, workspace_, rule(true)), reason);
}

// True for the last of the batches whose gradients are accumulated, and for the last batch of the epoch.
bool TrainingSteps::updates(std::int64_t batch) const {
  return (batch + 1) % accumulate_ == 0 || batch + 1 == batches_per_epoch_;
}

std::int64_t TrainingSteps::longest_run(std::int64_t batch, std::int64_t max_batches) const {
  if (accumulate_ == 1) return max_batches;
  if (updates(batch)) return 1;
  const std::int64_t end = (batch / accumulate_ + 1) * accumulate_;
  return std::min(max_batches, std::min(end, batches_per_epoch_) - 1 - batch);
}

void TrainingSteps::run(std::int64_t batch, const BatchRun& run) {
  (updates(batch) ? training_ : accumulating_).run(run);
}

std::optional<float> TrainingSteps::gradient_norm(std::int64_t batch) const {
  if (norm_.size() == 0 || !updates(batch)) return std::nullopt;
  return norm_.to_host().front().norm;
}

void TrainingSteps::save(TrainingState& state) const {
  state.optimizer = optimizer_.memory();
  state.gradient_sum = gradient_sum_.to_host();
  average_.save(state);
}

void TrainingSteps::restore(const TrainingState& state) {
  optimizer_.restore(state.optimizer);
  if (state.gradient_sum.size() != gradient_sum_.size())
    throw ModelError(
        "checkpoint of a run with another --accumulate: expected sums of gradients in both or in neither");
  gradient_sum_.upload(state.gradient_sum);
  average_.restore(state);
  training_.set_metrics(state.metrics);
}

}  // namespace warpfit
