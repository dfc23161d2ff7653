#include "host/cli/training_setup.hpp"

#include <fmt/core.h>

#include <filesystem>
#include <system_error>

#include "host/base/error.hpp"
#include "host/cli/config.hpp"
#include "host/cli/device_options.hpp"
#include "host/cli/optimizer_options.hpp"
#include "host/cli/option_rows.hpp"
#include "host/cli/schedule_options.hpp"
#include "host/model/model_file.hpp"

namespace warpfit {
namespace {

// Paths are made absolute because a run may be resumed from another working directory.
void make_absolute(std::string& path) {
  if (path.empty()) return;
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  if (error) throw IoError(fmt::format("{}: cannot find the working folder: {}", path, error.message()));
  path = absolute.string();
}

std::string config_of(TrainCommand command) {
  auto& run = command.run;
  auto& files = run.data.files;
  for (auto* path : {&run.data.folder, &files.train_images, &files.train_labels, &files.test_images,
                     &files.test_labels, &run.class_names, &run.init_from, &run.model}) {
    make_absolute(*path);
  }
  return config_text(options_of(command));
}

void check(const RunOptions& run) {
  const auto& options = run.training;
  check_names(run.names);
  if (options.loss.label_smoothing > 0 && options.loss.kind != LossKind::kCrossEntropy) {
    throw UsageError("--label-smoothing: requires --loss cross-entropy");
  }
  if (options.ema > 0 && options.swa_start > 0)
    throw UsageError("--ema and --swa-start: expected only one of them, because a model has one average");
  if (options.swa_start > options.epochs)
    throw UsageError(fmt::format("--swa-start {}: expected an epoch up to --epochs {}", options.swa_start,
                                 options.epochs));
  const auto& weights = run.class_weights;
  if ((weights.balanced || !weights.given.empty()) && !is_cross_entropy(options.loss))
    throw UsageError("--class-weights: requires --loss cross-entropy or nll");
  if (options.loss.beta != 1 && options.loss.kind != LossKind::kSmoothL1)
    throw UsageError("--beta: requires --loss smooth-l1");
  if (options.loss.delta != 1 && options.loss.kind != LossKind::kHuber)
    throw UsageError("--delta: requires --loss huber");
  if (options.loss.margin != 1 && options.loss.kind != LossKind::kMultiMargin)
    throw UsageError("--margin: requires --loss multi-margin");
  if (options.loss.delta == 0) throw UsageError("--delta 0: expected a number above 0, as in PyTorch");
  if (options.patience > 0 && run.validation.share == 0) {
    throw UsageError(
        "--patience: requires --validation-split, because the test set must not decide when training ends");
  }
}

}  // namespace

// The tutorial's class has its layers in an attribute; a list of layers is an nn.Sequential without one.
std::string names_of(const TrainCommand& command) {
  return command.names.value_or(is_layer_list(command.run.network) ? "" : RunOptions().names);
}

RunOptions run_options_of(const TrainCommand& command) {
  if (command.schedule.kind == ScheduleKind::kOneCycle && command.optimizer.rate)
    throw UsageError("--lr: --schedule one-cycle takes --max-lr instead");
  RunOptions run = command.run;
  if (command.batch_size_per_rank) {
    const auto ranks = find_launch(run.parallel).size;
    run.training.batch_size = *command.batch_size_per_rank * ranks;
    if (run.training.batch_size > kMaxCount) {
      throw UsageError(
          fmt::format("--batch-size-per-rank {}: {} processes have batches of {}, expected at most {}",
                      *command.batch_size_per_rank, ranks, run.training.batch_size, kMaxCount));
    }
  }
  run.names = names_of(command);
  auto& training = run.training;
  training.optimizer = optimizer_of(command.optimizer);
  training.muon = muon_of(command.optimizer);
  training.no_decay = command.optimizer.no_decay;
  if (!has_decay(training.optimizer) && (training.no_decay.biases || training.no_decay.norms))
    throw UsageError("--no-decay: requires an optimizer with --weight-decay above 0");
  training.rate_factors = command.optimizer.rate_factors;
  run.freeze = command.optimizer.freeze;
  training.learning_rate = learning_rate_of(command.optimizer);
  training.schedule = schedule_of(command.schedule, training.epochs);
  training.warmup = command.schedule.warmup;
  run.device = backend_options(command.device);
  auto saved = command;
  saved.run.training.batch_size = run.training.batch_size;
  run.config = config_of(std::move(saved));
  check(run);
  return run;
}

}  // namespace warpfit
