#include "host/run/training_files.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "host/base/error.hpp"
#include "host/base/listing.hpp"
#include "host/model/frozen_parameters.hpp"
#include "host/report/log.hpp"
#include "host/stream/class_names.hpp"
#include "host/stream/pixel_sample.hpp"
#include "host/train/parameter_groups.hpp"

namespace warpfit {
namespace {

void check_same_shape(const Dataset& training_set, const Dataset& test_set) {
  if (std::ranges::equal(training_set.sample_shape(), test_set.sample_shape())) return;
  throw DataError(
      fmt::format("{}: samples of {} from byte 8 on, but those of {} are {}; expected equal shapes",
                  test_set.images_path(), fmt::join(test_set.sample_shape(), "x"), training_set.images_path(),
                  fmt::join(training_set.sample_shape(), "x")));
}

std::string class_list(const std::vector<std::int64_t>& classes) {
  constexpr std::size_t kMaxNamed = 10;
  return fmt::format("{} {}", classes.size() == 1 ? "class" : "classes", listing(classes, kMaxNamed));
}

void warn_of_missing_classes(const Dataset& training_set, const Dataset& test_set) {
  const auto classes = std::max(training_set.classes(), test_set.classes());
  const auto trained = Subset(training_set).class_counts(classes);
  const auto tested = Subset(test_set).class_counts(classes);
  std::vector<std::int64_t> unused, untrained, untested;
  for (std::int64_t c = 0; c < classes; ++c) {
    const auto at = static_cast<std::size_t>(c);
    if (trained[at] == 0) (tested[at] == 0 ? unused : untrained).push_back(c);
    if (trained[at] > 0 && tested[at] == 0) untested.push_back(c);
  }
  if (!unused.empty()) log_warning(fmt::format("{}: no sample has this label", class_list(unused)));
  if (!untrained.empty())
    log_warning(fmt::format("{}: in the test set, but not in the training set", class_list(untrained)));
  if (!untested.empty())
    log_warning(fmt::format("{}: in the training set, but not in the test set", class_list(untested)));
}

void check_labels(std::int64_t outputs, const Dataset& training_set, const Dataset& test_set) {
  training_set.check_labels_below(outputs);
  test_set.check_labels_below(outputs);
  if (outputs > training_set.classes()) {
    log_warning(fmt::format("the network has {} outputs, but the highest training label is {}", outputs,
                            training_set.classes() - 1));
  }
  warn_of_missing_classes(training_set, test_set);
}

void check_no_decay(const NoDecay& no_decay, const NetworkPlan& plan) {
  if (!no_decay.norms || no_decay.biases) return;
  const auto is_of_norm = [](const PlannedTensor& tensor) { return tensor.role == TensorRole::kNormWeight; };
  if (std::ranges::none_of(plan.tensors, is_of_norm))
    throw UsageError("--no-decay norm: the network has no normalization layers");
}

// Empty if no file was named and no matching file was found.
std::vector<std::string> class_names(const std::string& named, const std::string& labels,
                                     std::int64_t classes) {
  const auto path = named.empty() ? class_names_next_to(labels) : named;
  if (path.empty()) return {};
  try {
    auto names = read_class_names(path);
    if (std::ssize(names) == classes) return names;
    throw UsageError(
        fmt::format("{}: {} names, but the network has {} outputs", path, names.size(), classes));
  } catch (const Error& error) {
    if (!named.empty()) throw;
    log_warning(fmt::format("{}; the classes remain without names", error.what()));
  }
  return {};
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

TrainingFiles::TrainingFiles(const RunOptions& options)
    : TrainingFiles(options, find_dataset(options.data.folder, options.data.files)) {}

// Both sets are decompressed in parallel, or one after the other if no thread is available. The lambda
// captures only references, because libstdc++ moves it into the thread that fails to start and then uses it
// again.
TrainingFiles::TrainingFiles(const RunOptions& options, const DatasetPaths& paths)
    : TrainingFiles(options, paths, std::async(std::launch::async | std::launch::deferred, [&] {
                      return Dataset(paths.test_images, paths.test_labels, options.data.layout);
                    })) {}

TrainingFiles::TrainingFiles(const RunOptions& options, const DatasetPaths& paths,
                             std::future<Dataset> test_set)
    : paths_(paths),
      training_set_(paths_.train_images, paths_.train_labels, options.data.layout),
      test_set_(test_set.get()) {
  check_same_shape(training_set_, test_set_);
  model_.network = fitting_network(options.network, training_set_);
  const auto shape = training_set_.sample_shape();
  model_.sample_shape.assign(shape.begin(), shape.end());
  model_.log_softmax = options.training.loss.kind == LossKind::kNll;
  model_.dropout = options.dropout;
  if (model_.dropout > 0 && model_.network.has_dropout())
    throw UsageError("--dropout: the network has dropout layers of its own; leave --dropout out");
  model_.names = options.names;
  plan_ = plan_of(model_);
  if (plan_.tensors.empty())
    throw UsageError(fmt::format("--network {}: it has no layer with parameters to train", options.network));
  check_no_decay(options.training.no_decay, plan_);
  freeze(plan_, options.freeze);
  check_rate_factors(plan_, options.training.rate_factors);
  check_labels(plan_.classes(), training_set_, test_set_);
  model_.pixels = sampled_pixel_statistics(training_set_);
  model_.class_names = class_names(options.class_names, paths_.train_labels, plan_.classes());
}

std::string TrainingFiles::summary() const {
  return fmt::format("{} training and {} test samples of {} from {}", training_set_.size(), test_set_.size(),
                     fmt::join(training_set_.sample_shape(), "x"), describe_files(paths_));
}

TrainingData TrainingFiles::data(const RunOptions& options) const {
  const auto& [share, shuffle] = options.validation;
  if (share == 0) return {training_set_, std::nullopt, test_set_};
  const auto [training, validation] = split_off(training_set_, share, shuffle, options.training.seed);
  log_info(fmt::format("validation: {} of the training samples", validation.size()));
  return {training, validation, test_set_};
}

std::vector<float> TrainingFiles::class_weights(const ClassWeightOptions& options,
                                                const Subset& training) const {
  const auto classes = static_cast<std::size_t>(plan_.classes());
  if (!options.balanced) {
    if (!options.given.empty() && options.given.size() != classes) {
      throw UsageError(fmt::format("--class-weights: {} weights, but the network has {} outputs",
                                   options.given.size(), classes));
    }
    return options.given;
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
