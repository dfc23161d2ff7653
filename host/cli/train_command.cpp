#include "host/cli/train_command.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "host/backend/make_backend.hpp"
#include "host/base/error.hpp"
#include "host/cli/optimizer_options.hpp"
#include "host/cli/schedule_options.hpp"
#include "host/model/initializer.hpp"
#include "host/model/network.hpp"
#include "host/report/console.hpp"
#include "host/report/log.hpp"

namespace warpfit {
namespace {

void check_same_shape(const Dataset& training_set, const Dataset& test_set) {
  if (std::ranges::equal(training_set.sample_shape(), test_set.sample_shape())) return;
  throw DataError(
      fmt::format("{}: samples of {} from byte 8 on, but those of {} are {}; expected equal shapes",
                  test_set.images_path(), fmt::join(test_set.sample_shape(), "x"), training_set.images_path(),
                  fmt::join(training_set.sample_shape(), "x")));
}

NetworkSpec fitting_network(const NetworkSpec* asked, const Dataset& training_set) {
  if (asked == nullptr) {
    return default_network(training_set.sample_size(), std::max<std::int64_t>(2, training_set.classes()));
  }
  if (asked->inputs() != training_set.sample_size()) {
    throw UsageError(fmt::format("--network {}: {} inputs, but the samples of {} have {} values ({})",
                                 asked->text(), asked->inputs(), training_set.images_path(),
                                 training_set.sample_size(), fmt::join(training_set.sample_shape(), "x")));
  }
  return *asked;
}

void check_labels(const NetworkSpec& spec, const Dataset& training_set, const Dataset& test_set) {
  training_set.check_labels_below(spec.classes());
  test_set.check_labels_below(spec.classes());
  if (spec.classes() > training_set.classes()) {
    log_warning(fmt::format("the network has {} outputs, but the highest training label is {}",
                            spec.classes(), training_set.classes() - 1));
  }
}

}  // namespace

void run(const TrainCommand& command) {
  if (command.quiet) silence_info();
  // What the command line alone can tell comes first, the data next: neither should wait for a device.
  const auto device = parse_device(command.device.name);
  TrainOptions options = command.training;
  options.optimizer = optimizer_of(command.optimizer);
  options.learning_rate = learning_rate_of(command.optimizer);
  options.schedule = schedule_of(command.schedule, options.epochs);
  options.warmup = command.schedule.warmup;
  if (command.schedule.kind == ScheduleKind::kOneCycle && command.optimizer.rate) {
    throw UsageError("--lr: --schedule one-cycle goes by --max-lr alone");
  }
  if (options.loss.label_smoothing > 0 && options.loss.kind != LossKind::kCrossEntropy) {
    throw UsageError("--label-smoothing: expected --loss cross-entropy");
  }
  std::optional<NetworkSpec> asked;
  if (!command.network.empty()) asked = parse_network(command.network);

  const auto paths = find_dataset(command.data.folder, command.data.files);
  const Dataset training_set(paths.train_images, paths.train_labels);
  const Dataset test_set(paths.test_images, paths.test_labels);
  check_same_shape(training_set, test_set);
  const auto spec = fitting_network(asked ? &*asked : nullptr, training_set);
  check_labels(spec, training_set, test_set);

  const auto backend =
      make_backend({device, command.device.threads.value_or(0), command.device.precision, log_warning});
  log_info(fmt::format("device: {}", backend->description()));
  log_info(fmt::format("data: {} training and {} test samples of {}", training_set.size(), test_set.size(),
                       fmt::join(training_set.sample_shape(), "x")));
  log_info(fmt::format("network: {}, {} parameters", spec.text(), spec.parameters()));

  TorchGenerator generator(command.training.seed);
  const ParameterLayout layout(spec);
  const Network network(*backend, spec, layout, initial_parameters(layout, generator));
  Console console;
  Trainer(*backend, network, {training_set, std::nullopt, test_set}, options, generator, console).run();
  console.done();
}

}  // namespace warpfit
