#include "host/train/training_steps.hpp"

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include "host/base/error.hpp"
#include "host/train/parameter_groups.hpp"
#include "host/train/rank_metrics.hpp"
#include "host/train/training_data.hpp"

namespace warpfit {
namespace {

bool measures_norm_of(const TrainOptions& options, const NetworkPlan& network) {
  return !is_update_fused(options, network) && (options.clipping.norm > 0 || options.measure_norm);
}

std::vector<Buffer<float>> make_part_sums(Backend& backend, std::size_t size, const BatchShare& share) {
  std::vector<Buffer<float>> sums;
  for (int parts = 1; parts < share.parts(); parts *= 2) sums.emplace_back(backend, std::vector<float>(size));
  return sums;
}

std::vector<Vector> views_of(const std::vector<Buffer<float>>& buffers) {
  std::vector<Vector> views;
  for (const auto& buffer : buffers) views.push_back(buffer.view());
  return views;
}

}  // namespace

bool is_update_fused(const TrainOptions& options, const NetworkPlan& network) {
  const bool clips = options.clipping.norm > 0 || options.clipping.value > 0;
  const bool trains_all = std::ranges::all_of(network.tensors, &PlannedTensor::requires_grad);
  return options.fuse_update && is_plain_sgd(options.optimizer) && !options.muon && !clips &&
         options.accumulate == 1 && options.ema == 0 && trains_all && options.rate_factors.empty();
}

TrainingSteps::TrainingSteps(Backend& backend, Network& network, const Workspace& workspace,
                             const TrainOptions& options, const BatchShare& share,
                             std::int64_t batches_per_epoch)
    : backend_(backend),
      network_(network),
      workspace_(workspace),
      input_(training_input(network.plan(), options)),
      loss_(options.loss),
      clipping_(options.clipping),
      accumulate_(options.accumulate),
      batches_per_epoch_(batches_per_epoch),
      fuses_update_(is_update_fused(options, network.plan())),
      share_(share),
      optimizer_(backend, parameter_groups(network.plan(), options), network.plan().floats),
      average_(backend, network, options),
      norm_(measures_norm_of(options, network.plan())
                ? Buffer<GradientNorm>(backend, std::vector<GradientNorm>(1))
                : Buffer<GradientNorm>()),
      gradient_sum_(options.accumulate > 1 ? Buffer<float>(backend, std::vector<float>(network.plan().floats))
                                           : Buffer<float>()),
      part_sums_(make_part_sums(backend, network.plan().floats, share)),
      part_sum_views_(views_of(part_sums_)),
      training_(backend, workspace, options.loss, step(rule(true))),
      accumulating_(backend, workspace, options.loss, step(rule(false))) {
  training_.keep_losses(batches_per_epoch * share_.parts());
  if (share_.is_ordered()) prepare_parts();
}

// Like the digits of a counter: a part whose number ends with k ones in binary completes a subtree of 2^k
// parts.
void TrainingSteps::prepare_parts() {
  for (unsigned part = 0; part + 1 < static_cast<unsigned>(share_.parts()); ++part) {
    const auto level = static_cast<std::size_t>(std::countr_one(part));
    auto own = rule(false);
    own.earlier_parts = std::span(part_sum_views_).first(level);
    own.kept_in = part_sum_views_[level];
    parts_.push_back(std::make_unique<StepRunner>(backend_, workspace_, loss_, step(std::move(own))));
  }
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
          .updates = updates,
          .sums_over_ranks = backend_.communicator().sums_gradients(),
          .earlier_parts = part_sum_views_,
          .sum_order = share_.is_ordered() ? SumOrder::kTree : SumOrder::kFastest};
}

Step TrainingSteps::step(TrainingRule rule) {
  return [this, rule = std::move(rule)](const Batch& batch, Metrics*) {
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

void TrainingSteps::run(std::int64_t batch, BatchRun run, std::int64_t rows) {
  auto& last = updates(batch) ? training_ : accumulating_;
  if (!share_.is_ordered()) {
    run.first_row = share_.rows(rows).first;
    last.run(run);
    return;
  }
  auto part_run = run;
  part_run.batches = 1;
  for (std::int64_t i = 0; i < run.batches; ++i) {
    for (int part = 0; part < share_.parts(); ++part) {
      const auto own = share_.part(rows, part);
      part_run.rows = own.count;
      part_run.first_row = own.first;
      (part + 1 < share_.parts() ? *parts_[static_cast<std::size_t>(part)] : last).run(part_run);
      part_run.first += own.count;
    }
    ++part_run.rates;
    ++part_run.loss_divisors;
    ++part_run.step;
  }
}

Metrics TrainingSteps::read_metrics() const {
  return metrics_of_parts(backend_.communicator(), training_.read_metrics(), share_.parts());
}

std::vector<float> TrainingSteps::losses(std::int64_t first, std::int64_t count) const {
  const auto parts = share_.parts();
  return losses_of_parts(backend_.communicator(), training_.losses(first * parts, count * parts), parts);
}

std::optional<float> TrainingSteps::gradient_norm(std::int64_t batch) const {
  if (norm_.size() == 0 || !updates(batch)) return std::nullopt;
  return norm_.to_host().front().norm;
}

void TrainingSteps::save(TrainingState& state) const {
  state.optimizer = optimizer_.memory();
  state.gradient_sum = gradient_sum_.to_host();
  if (!share_.is_ordered()) backend_.communicator().sum(state.gradient_sum, SumOrder::kFastest);
  average_.save(state);
}

void TrainingSteps::restore(const TrainingState& state) {
  optimizer_.restore(state.optimizer);
  if (state.gradient_sum.size() != gradient_sum_.size())
    throw ModelError(
        "checkpoint of a run with another --accumulate: expected sums of gradients in both or in neither");
  // Until the next update each rank has a sum of its own, so one of them takes what the ranks had before.
  const bool has_none = !share_.is_ordered() && backend_.communicator().rank() > 0;
  gradient_sum_.upload(has_none ? std::vector<float>(state.gradient_sum.size()) : state.gradient_sum);
  average_.restore(state);
  training_.set_metrics(metrics_for_rank(backend_.communicator(), state.metrics, share_.parts()));
}

}  // namespace warpfit
