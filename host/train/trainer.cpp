#include "host/train/trainer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::int64_t batch_rows(const TrainOptions& options, const Dataset& dataset) {
  return std::min(options.batch_size, dataset.size());
}

Result result_of(const Metrics& metrics, const Dataset& dataset) {
  return {metrics.loss_sum / static_cast<double>(metrics.batches), metrics.correct, dataset.size()};
}

bool clips(const Clipping& clipping) { return clipping.norm > 0 || clipping.value > 0; }

}  // namespace

Trainer::Trainer(Backend& backend, const Network& network, const Dataset& training_set,
                 const Dataset& test_set, const TrainOptions& options, TorchGenerator generator,
                 Report& report)
    : backend_(backend),
      options_(options),
      training_set_(training_set),
      test_set_(test_set),
      report_(report),
      generator_(generator),
      folded_(options.fold_update && is_plain_sgd(options.optimizer) && !clips(options.clipping)),
      schedule_(options.schedule, options.learning_rate, options.warmup, batches_per_epoch(),
                options.epochs * batches_per_epoch()),
      optimizer_(backend, options.optimizer, network.layout().size()),
      norm_(options.clipping.norm > 0 ? Buffer<GradientNorm>(backend, std::vector<GradientNorm>(1))
                                      : Buffer<GradientNorm>()),
      rates_(backend, static_cast<std::size_t>(batches_per_epoch())),
      workspace_(backend, network, std::max(batch_rows(options, training_set), batch_rows(options, test_set)),
                 !folded_),
      training_(backend, workspace_,
                [this, &network, rule = training_rule()](const BatchViews& batch, Metrics* metrics) {
                  train_step(backend_, network, batch, rule, metrics);
                }),
      evaluation_(backend, workspace_,
                  [this, &network](const BatchViews& batch, Metrics* metrics) {
                    evaluation_step(backend_, network, batch, options_.loss, metrics);
                  }),
      training_stream_(backend, training_set, batch_rows(options, training_set), options.residency),
      test_stream_(backend, test_set, batch_rows(options, test_set), options.residency) {}

TrainingRule Trainer::training_rule() const {
  return {.loss = options_.loss,
          .dropout = {.p = options_.dropout, .seed = options_.seed},
          .optimizer = folded_ ? nullptr : &optimizer_,
          .clipping = options_.clipping,
          .norm = norm_.data()};
}

std::int64_t Trainer::batches_per_epoch() const {
  return (training_set_.size() + options_.batch_size - 1) / options_.batch_size;
}

void Trainer::run() {
  for (epoch_ = 1; epoch_ <= options_.epochs; ++epoch_) {
    if (epoch_ == options_.first_profiled) backend_.capture_profile(true);
    run_epoch();
    if (epoch_ == options_.last_profiled) backend_.capture_profile(false);
  }
  report_.done();
}

void Trainer::run_epoch() {
  const ProfileRange range(backend_, "epoch", epoch_);
  report_.epoch_started(epoch_);
  EpochReport report;
  report.epoch = epoch_;
  training_started_ = Clock::now();
  report.training = result_of(train_epoch(), training_set_);
  report.training_seconds = seconds_since(training_started_);
  report.trained = training_set_.size();
  report.step = step();
  report.learning_rate = schedule_.rate(step() - 1);
  const auto evaluation_started = Clock::now();
  report.test = evaluate();
  report.evaluation_seconds = seconds_since(evaluation_started);
  report_.epoch_ended(report);
}

Metrics Trainer::train_epoch() {
  training_stream_.start(SampleOrder::of_pass(training_set_.size(), options_.shuffle, generator_));
  training_.clear_metrics();
  upload_rates();
  batch_ = 0;
  while (const auto chunk = training_stream_.next()) {
    const ProfileRange range(backend_, "chunk", batch_);
    const auto& samples = chunk->samples();
    const std::int64_t full = samples.count / options_.batch_size;
    train_batches(samples, 0, full, options_.batch_size);
    const std::int64_t left = samples.count - full * options_.batch_size;
    if (left > 0) train_batches(samples, samples.count - left, 1, left);
  }
  return checked_metrics();
}

std::int64_t Trainer::step() const { return (epoch_ - 1) * batches_per_epoch() + batch_; }

void Trainer::upload_rates() {
  std::vector<float> rates;
  const std::int64_t first = (epoch_ - 1) * batches_per_epoch();
  for (std::int64_t batch = 0; batch < batches_per_epoch(); ++batch) {
    rates.push_back(static_cast<float>(schedule_.rate(first + batch)));
  }
  rates_.upload(rates);
}

// A run of batches ends where a loss is due, so that its line appears before the next batch is computed.
void Trainer::train_batches(const SampleView& samples, std::int64_t first, std::int64_t batches,
                            std::int64_t rows) {
  while (batches > 0) {
    const std::int64_t behind_line = batch_ % options_.log_every;
    const std::int64_t until_line = behind_line == 0 ? 1 : options_.log_every - behind_line + 1;
    const std::int64_t count = std::min(batches, until_line);
    training_.run({.samples = samples,
                   .first = first,
                   .batches = count,
                   .rows = rows,
                   .rates = rates_.data() + batch_,
                   .step = step()});
    first += count * rows;
    batches -= count;
    batch_ += count;
    const std::int64_t newest = batch_ - 1;
    if (newest % options_.log_every == 0) {
      report_loss(newest);
    }
  }
}

void Trainer::report_loss(std::int64_t batch) {
  LossReport report{.loss = checked_metrics().last_loss,
                    .seen = batch * options_.batch_size,
                    .samples = training_set_.size(),
                    .epoch = epoch_,
                    .step = step(),
                    .learning_rate = schedule_.rate(step() - 1),
                    .gradient_norm = std::nullopt,
                    .seconds = seconds_since(training_started_)};
  if (norm_.size() > 0) report.gradient_norm = norm_.to_host().front().norm;
  report.trained = std::min(batch_ * options_.batch_size, training_set_.size());
  report_.loss(report);
}

Metrics Trainer::checked_metrics() const {
  const Metrics metrics = training_.read_metrics();
  if (metrics.non_finite > 0) {
    throw DivergedError(
        fmt::format("epoch {}, batch {}: the loss is not a finite number; try a lower --lr than {}", epoch_,
                    metrics.first_non_finite, options_.learning_rate));
  }
  return metrics;
}

Result Trainer::evaluate() {
  const ProfileRange range(backend_, "evaluation", epoch_);
  test_stream_.start(SampleOrder::of_pass(test_set_.size(), false, generator_));
  evaluation_.clear_metrics();
  while (const auto chunk = test_stream_.next()) {
    const auto& samples = chunk->samples();
    const std::int64_t full = samples.count / options_.batch_size;
    if (full > 0) evaluation_.run({samples, 0, full, options_.batch_size});
    const std::int64_t left = samples.count - full * options_.batch_size;
    if (left > 0) evaluation_.run({samples, samples.count - left, 1, left});
  }
  return result_of(evaluation_.read_metrics(), test_set_);
}

}  // namespace warpfit
