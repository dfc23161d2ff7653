#include "host/train/trainer.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

bool is_multiple(std::int64_t count, std::int64_t every) { return every > 0 && count % every == 0; }

}  // namespace

Trainer::Trainer(Backend& backend, Network& network, const TrainingData& data, const TrainOptions& options,
                 TorchGenerator generator, Report& report, TrainerHooks hooks)
    : backend_(backend),
      communicator_(backend.communicator()),
      network_(network),
      share_(communicator_, options.ordered_sums),
      options_(fitting(options, share_)),
      training_set_(data.training),
      samples_(data.training.size()),
      report_(report),
      hooks_(std::move(hooks)),
      generator_(generator),
      epochs_generator_(generator),
      schedule_(options.schedule, options.learning_rate, options.warmup, batches_per_epoch(),
                options.epochs * batches_per_epoch()),
      rates_(backend, static_cast<std::size_t>(batches_per_epoch())),
      loss_divisors_(backend, share_.is_everything() ? 0 : static_cast<std::size_t>(batches_per_epoch())),
      workspace_(backend, network,
                 {.max_batch_size = max_batch_size(options, data),
                  .keeps_gradients = !is_update_fused(options_, network.plan()),
                  .dropout_seed = options.seed,
                  .sync_batch_norm = options_.sync_batch_norm}),
      plans_(plan_data(backend, options, data, share_)),
      training_(backend, network, workspace_, options_, share_, batches_per_epoch()),
      training_stream_(backend, data.training, plans_[0]),
      test_(backend, workspace_, options.loss, data.test, batch_rows(options, data.test), plans_[1],
            evaluation_input(network.plan(), options)) {
  if (data.validation) {
    validation_.emplace(backend, workspace_, options.loss, *data.validation,
                        batch_rows(options, *data.validation), plans_[2],
                        evaluation_input(network.plan(), options));
  }
  check_batches(network.plan(), samples_, options.batch_size,
                options_.sync_batch_norm ? 1 : communicator_.size(), options.ordered_sums);
  engine_ = chosen_engine(options.engine, [this](std::string& reason) { return compile(reason); });
}

bool Trainer::compile(std::string& reason) {
  if (!share_.is_everything()) {
    reason = share_.is_ordered()        ? "--reduce ordered"
             : communicator_.is_alone() ? "--parallel nccl"
                                        : "several processes train together";
    return false;
  }
  if (!training_.compile(reason)) return false;
  const auto evaluation = evaluation_plan(network_, workspace_, options_.loss);
  return test_.compile(evaluation, reason) && (!validation_ || validation_->compile(evaluation, reason));
}

std::int64_t Trainer::batches_per_epoch() const {
  return (samples_ + options_.batch_size - 1) / options_.batch_size;
}

StopReason Trainer::run() {
  while (epoch_ <= options_.epochs) {
    if (options_.patience > 0 && best_.epochs_without_improvement >= options_.patience)
      return end_early(StopReason::kNoImprovement);
    if (epoch_ == options_.first_profiled) backend_.capture_profile(true);
    const bool whole = run_epoch();
    if (!whole || (should_stop() && epoch_ <= options_.epochs)) return end_early(StopReason::kInterrupted);
    if (epoch_ - 1 == options_.last_profiled) backend_.capture_profile(false);
  }
  return StopReason::kCompleted;
}

StopReason Trainer::end_early(StopReason stop_reason) const {
  if (hooks_.save) hooks_.save(state());
  return stop_reason;
}

bool Trainer::run_epoch() {
  const ProfileRange range(backend_, "epoch", epoch_);
  report_.epoch_started(epoch_);
  training_started_ = Clock::now();
  return train_epoch() && end_epoch(checked_metrics());
}

// Returns false if it was stopped; the saved state is then that of an epoch whose evaluation has not been
// done.
bool Trainer::end_epoch(const Metrics& training) {
  EpochReport report;
  report.epoch = epoch_;
  report.step = step();
  report.learning_rate = schedule_.rate(step() - 1);
  report.training = result_of(training, samples_);
  report.training_seconds = seconds_since(training_started_);
  report.trained = std::max<std::int64_t>(0, samples_ - first_trained_ * options_.batch_size);
  const ProfileRange range(backend_, "evaluation", epoch_);
  const auto evaluation_started = Clock::now();
  synchronize_state();
  training_.average().put_in_place();
  const bool is_whole = evaluate(report);
  training_.average().take_back();
  if (!is_whole) return false;
  report.evaluation_seconds = seconds_since(evaluation_started);
  update_best(report);
  report_.epoch_ended(report);
  ++epoch_;
  batch_ = 0;
  epochs_generator_ = generator_;
  const bool due = is_multiple(epoch_ - 1, hooks_.save_every_epochs) ||
                   is_multiple(step(), hooks_.save_every_steps) || epoch_ > options_.epochs;
  if (due && hooks_.save) hooks_.save(state());
  return true;
}

// Unless batch normalization is synchronized, each rank has running statistics of its own rows; those of the
// first rank are the network's, as in PyTorch's DistributedDataParallel.
void Trainer::synchronize_state() {
  if (communicator_.is_alone() || network_.state().size() == 0) return;
  auto state = network_.state().to_host();
  communicator_.broadcast(std::as_writable_bytes(std::span(state)), 0);
  network_.state().upload(state);
}

bool Trainer::evaluate(EpochReport& report) {
  if (validation_) report.validation = evaluate(*validation_, "validation");
  if (validation_ && !report.validation) return false;
  const auto test = evaluate(test_, "test");
  if (test) report.test = *test;
  return test.has_value();
}

std::optional<Result> Trainer::evaluate(Evaluation& evaluation, std::string_view set) {
  const auto result = evaluation.run(generator_, hooks_.should_stop);
  if (result && !std::isfinite(result->loss))
    fail_diverged(fmt::format("epoch {}: the loss of the {} set", epoch_, set));
  return result;
}

void Trainer::update_best(const EpochReport& report) {
  const Result& result = report.validation ? *report.validation : report.test;
  const bool by_loss = options_.best_by == BestBy::kLoss;
  const double value = by_loss ? result.loss : result.accuracy();
  const bool is_best = best_.update(epoch_, value, by_loss, options_.min_delta);
  if (is_best && hooks_.improved) hooks_.improved(parameters(), network_state());
}

bool Trainer::train_epoch() {
  const std::int64_t whole = samples_ / options_.batch_size;  // batches
  const std::int64_t rows = share_.rows(rows_of(0)).count;
  const std::int64_t start = batch_ * rows;  // above 0 in a resumed epoch
  auto order = SampleOrder::of_pass(samples_, options_.shuffle, generator_);
  if (batch_ == 0) training_.clear_metrics();
  first_trained_ = batch_;
  if (batch_ == batches_per_epoch()) return true;  // it was stopped during the evaluation
  upload_rates();
  if (!share_.is_everything())
    loss_divisors_.upload(
        loss_divisors(training_set_, order, options_.batch_size, options_.loss.class_weights));
  training_stream_.start(share_.of_pass(std::move(order), samples_, options_.batch_size), start);
  while (const auto chunk = training_stream_.next()) {
    const ProfileRange range(backend_, "chunk", batch_);
    const auto& samples = chunk->samples();
    const std::int64_t skipped = std::clamp<std::int64_t>(start - chunk->first(), 0, samples.count);
    const std::int64_t full =
        rows == 0 ? 0 : std::min(std::max<std::int64_t>(0, whole - batch_), (samples.count - skipped) / rows);
    if (!train_batches(samples, skipped, full)) return false;
    const std::int64_t left = samples.count - skipped - full * rows;
    if (left > 0 && !train_batches(samples, samples.count - left, 1)) return false;
  }
  // This rank has no rows of the rest, and takes part with empty batches in the same runs as the others.
  const auto chunk =
      plans_[0].resident ? batches_per_epoch() : plans_[0].chunk_samples / std::max<std::int64_t>(1, rows);
  while (batch_ < whole) {
    if (!train_batches({}, 0, std::min(whole - batch_, chunk - batch_ % chunk))) return false;
  }
  return train_batches({}, 0, batches_per_epoch() - batch_);
}

std::int64_t Trainer::rows_of(std::int64_t batch) const {
  return std::min(options_.batch_size, samples_ - batch * options_.batch_size);
}

void Trainer::upload_rates() {
  std::vector<float> rates;
  const std::int64_t first = (epoch_ - 1) * batches_per_epoch();
  for (std::int64_t batch = 0; batch < batches_per_epoch(); ++batch) {
    rates.push_back(static_cast<float>(schedule_.rate(first + batch)));
  }
  rates_.upload(rates);
}

// A run of batches ends where a checkpoint is due and where should_stop() must be called. On the host, where
// waiting costs nothing, it also ends where a loss is due, so that it is printed before the next batch is
// computed. It also ends where the gradient norm of a batch must be read. All ranks make the same runs. The
// batches have the same size. Returns false if training was stopped before the end of the epoch.
bool Trainer::train_batches(const SampleView& samples, std::int64_t first, std::int64_t batches) {
  const bool ends_with_lines = backend_.is_host() || training_.measures_norm();
  const std::int64_t rows = rows_of(batch_);
  const std::int64_t own_rows = share_.rows(rows).count;
  while (batches > 0) {
    std::int64_t count = batches;
    if (ends_with_lines) {
      const std::int64_t since_line = batch_ % options_.log_every;
      count = std::min(count, since_line == 0 ? 1 : options_.log_every - since_line + 1);
    }
    if (const auto every = hooks_.save_every_steps; every > 0)
      count = std::min(count, every - step() % every);
    count = pace_.next(training_.longest_run(batch_, count));
    training_.run(batch_,
                  {.samples = samples,
                   .first = first,
                   .batches = count,
                   .rows = own_rows,
                   .rates = rates_.data() + batch_,
                   .step = step(),
                   .epoch = epoch_,
                   .loss_divisors = share_.is_everything() ? nullptr : loss_divisors_.data() + batch_},
                  rows);
    first += count * own_rows;
    batches -= count;
    batch_ += count;
    if (pace_.is_cut()) {
      training_.wait();
      pace_.finished(communicator_);
    }
    report_losses(count);
    if (batch_ == batches_per_epoch()) {
      training_.epoch_trained(epoch_);
      return true;
    }
    if (is_multiple(step(), hooks_.save_every_steps)) hooks_.save(state());
    if (should_stop()) return false;
  }
  return true;
}

// Reports the losses that are due among the last `count` batches, up to the first one that is not finite.
void Trainer::report_losses(std::int64_t count) {
  const std::int64_t start = batch_ - count;
  const std::int64_t every = options_.log_every;
  const std::int64_t first = (start + every - 1) / every * every;
  if (first >= batch_) return;
  const auto losses = training_.losses(first, batch_ - first);
  const Metrics metrics = training_.read_metrics();
  const std::int64_t end = metrics.non_finite > 0 ? metrics.first_non_finite : batch_;
  for (std::int64_t batch = first; batch < end; batch += every)
    report_loss(batch, losses[static_cast<std::size_t>(batch - first)]);
  check(metrics);
}

void Trainer::report_loss(std::int64_t batch, float loss) {
  const auto step = (epoch_ - 1) * batches_per_epoch() + batch + 1;
  LossReport report{.loss = loss,
                    .seen = batch * options_.batch_size,
                    .samples = samples_,
                    .epoch = epoch_,
                    .step = step,
                    .learning_rate = schedule_.rate(step - 1),
                    .gradient_norm = training_.gradient_norm(batch),
                    .seconds = seconds_since(training_started_)};
  report.trained = std::min(batch_ * options_.batch_size, samples_) - first_trained_ * options_.batch_size;
  report_.loss(report);
}

Metrics Trainer::checked_metrics() const {
  const Metrics metrics = training_.read_metrics();
  check(metrics);
  return metrics;
}

void Trainer::check(const Metrics& metrics) const {
  if (metrics.non_finite > 0)
    fail_diverged(fmt::format("epoch {}, batch {}: the loss", epoch_, metrics.first_non_finite));
}

void Trainer::fail_diverged(const std::string& what) const {
  throw DivergedError(
      fmt::format("{} is not a finite number; try a lower --lr than {}", what, options_.learning_rate));
}

}  // namespace warpfit
