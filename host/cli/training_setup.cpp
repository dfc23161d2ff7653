#include "host/cli/training_setup.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "host/base/error.hpp"
#include "host/cli/optimizer_options.hpp"
#include "host/cli/schedule_options.hpp"
#include "host/report/log.hpp"

namespace warpfit {
namespace {

Dataset open_set(const DataFlags& data, std::string DatasetPaths::*images,
                 std::string DatasetPaths::*labels) {
  const auto paths = find_dataset(data.folder, data.files);
  return {paths.*images, paths.*labels};
}

void check_same_shape(const Dataset& training_set, const Dataset& test_set) {
  if (std::ranges::equal(training_set.sample_shape(), test_set.sample_shape())) return;
  throw DataError(
      fmt::format("{}: samples of {} from byte 8 on, but those of {} are {}; expected equal shapes",
                  test_set.images_path(), fmt::join(test_set.sample_shape(), "x"), training_set.images_path(),
                  fmt::join(training_set.sample_shape(), "x")));
}

void check_labels(std::int64_t outputs, const Dataset& training_set, const Dataset& test_set) {
  training_set.check_labels_below(outputs);
  test_set.check_labels_below(outputs);
  if (outputs > training_set.classes()) {
    log_warning(fmt::format("the network has {} outputs, but the highest training label is {}", outputs,
                            training_set.classes() - 1));
  }
}

}  // namespace

NetworkSpec fitting_network(const std::string& asked, const Dataset& training_set) {
  if (asked.empty()) {
    return default_network(training_set.sample_size(), std::max<std::int64_t>(2, training_set.classes()));
  }
  auto spec = parse_network(asked);
  if (spec.inputs && *spec.inputs != training_set.sample_size()) {
    throw UsageError(fmt::format("--network {}: {} inputs, but the samples of {} have {} values ({})", asked,
                                 *spec.inputs, training_set.images_path(), training_set.sample_size(),
                                 fmt::join(training_set.sample_shape(), "x")));
  }
  return spec;
}

TrainOptions training_options_of(const TrainCommand& command) {
  check_names(command.run.names);
  TrainOptions options = command.training;
  options.optimizer = optimizer_of(command.optimizer);
  options.learning_rate = learning_rate_of(command.optimizer);
  options.schedule = schedule_of(command.schedule, options.epochs);
  options.warmup = command.schedule.warmup;
  options.measure_norm = !command.run.folder.empty();
  if (command.schedule.kind == ScheduleKind::kOneCycle && command.optimizer.rate) {
    throw UsageError("--lr: --schedule one-cycle goes by --max-lr alone");
  }
  if (options.loss.label_smoothing > 0 && options.loss.kind != LossKind::kCrossEntropy) {
    throw UsageError("--label-smoothing: expected --loss cross-entropy");
  }
  if (options.ema > 0 && options.swa_start > 0)
    throw UsageError("--ema and --swa-start: expected one of them, for a model has one average");
  if (options.swa_start > options.epochs)
    throw UsageError(fmt::format("--swa-start {}: expected an epoch up to --epochs {}", options.swa_start,
                                 options.epochs));
  const auto& weights = command.class_weights;
  if ((weights.balanced || !weights.given.empty()) && !is_cross_entropy(options.loss))
    throw UsageError("--class-weights: expected --loss cross-entropy or nll");
  if (options.loss.beta != 1 && options.loss.kind != LossKind::kSmoothL1)
    throw UsageError("--beta: expected --loss smooth-l1");
  if (options.loss.delta != 1 && options.loss.kind != LossKind::kHuber)
    throw UsageError("--delta: expected --loss huber");
  if (options.loss.margin != 1 && options.loss.kind != LossKind::kMultiMargin)
    throw UsageError("--margin: expected --loss multi-margin");
  if (options.loss.delta == 0) throw UsageError("--delta 0: expected a number above 0, as in PyTorch");
  if (options.patience > 0 && command.validation.share == 0) {
    throw UsageError("--patience: expected --validation-split, for the test set must not decide when to end");
  }
  return options;
}

// Both sets are decoded at the same time; one after the other if the system has no thread to give.
TrainingFiles::TrainingFiles(const TrainCommand& command)
    : TrainingFiles(command, std::async(std::launch::async | std::launch::deferred, [&data = command.data] {
                      return open_set(data, &DatasetPaths::test_images, &DatasetPaths::test_labels);
                    })) {}

TrainingFiles::TrainingFiles(const TrainCommand& command, std::future<Dataset> test_set)
    : training_set_(open_set(command.data, &DatasetPaths::train_images, &DatasetPaths::train_labels)),
      test_set_(test_set.get()) {
  check_same_shape(training_set_, test_set_);
  model_.network = fitting_network(command.network, training_set_);
  const auto shape = training_set_.sample_shape();
  model_.sample_shape.assign(shape.begin(), shape.end());
  model_.log_softmax = command.training.loss.kind == LossKind::kNll;
  model_.dropout = command.dropout;
  const auto is_dropout = [](const Layer& layer) { return std::holds_alternative<Dropout>(layer); };
  if (model_.dropout > 0 && std::ranges::any_of(model_.network.layers, is_dropout))
    throw UsageError("--dropout: the network has dropout layers of its own; leave --dropout out");
  model_.names = command.run.names;
  plan_ = plan_of(model_);
  check_labels(plan_.classes(), training_set_, test_set_);
}

std::string TrainingFiles::summary() const {
  return fmt::format("{} training and {} test samples of {}", training_set_.size(), test_set_.size(),
                     fmt::join(training_set_.sample_shape(), "x"));
}

TrainingData TrainingFiles::data(const TrainCommand& command) const {
  const auto& [share, shuffle] = command.validation;
  if (share == 0) return {training_set_, std::nullopt, test_set_};
  const auto [training, validation] = split_off(training_set_, share, shuffle, command.training.seed);
  log_info(fmt::format("validation: {} of the training samples", validation.size()));
  return {training, validation, test_set_};
}

std::vector<float> TrainingFiles::class_weights(const ClassWeightFlags& flags, const Subset& training) const {
  const auto classes = static_cast<std::size_t>(plan_.classes());
  if (!flags.balanced) {
    if (!flags.given.empty() && flags.given.size() != classes) {
      throw UsageError(fmt::format("--class-weights: {} weights, but the network has {} outputs",
                                   flags.given.size(), classes));
    }
    return flags.given;
  }
  const auto counts = training.class_counts(plan_.classes());
  std::vector<float> weights;
  for (std::size_t c = 0; c < classes; ++c) {
    if (counts[c] == 0)
      throw UsageError(fmt::format("--class-weights balanced: class {} has no training sample", c));
    weights.push_back(static_cast<float>(static_cast<double>(training.size()) /
                                         static_cast<double>(counts[c]) / static_cast<double>(classes)));
  }
  return weights;
}

std::string TrainingFiles::identity() const {
  return fmt::format("{}; {}", training_set_.identity(), test_set_.identity());
}

}  // namespace warpfit
