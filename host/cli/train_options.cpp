#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

#include "host/base/error.hpp"
#include "host/base/parse_number.hpp"
#include "host/base/split.hpp"
#include "host/cli/commands.hpp"
#include "host/cli/common_options.hpp"
#include "host/cli/device_options.hpp"
#include "host/cli/input_options.hpp"
#include "host/cli/optimizer_options.hpp"
#include "host/cli/option_rows.hpp"
#include "host/cli/parallel_options.hpp"
#include "host/cli/schedule_options.hpp"
#include "host/cli/training_setup.hpp"

namespace warpfit {
namespace {

// The value is "3" or "2-4".
Option profile_option(TrainOptions& training) {
  constexpr std::string_view kFlag = "--profile-epochs";
  const auto set = [&training, kFlag](std::string_view given) {
    const auto dash = std::min(given.find('-'), given.size());
    const auto first = parse_number<std::int64_t>(given.substr(0, dash));
    const auto last = dash == given.size() ? first : parse_number<std::int64_t>(given.substr(dash + 1));
    if (!first || !last || *first < 1 || *last < *first) {
      throw UsageError(fmt::format("{} {}: expected epochs as in 2 or 2-3", kFlag, given));
    }
    training.first_profiled = *first;
    training.last_profiled = *last;
  };
  const auto get = [&training] {
    if (training.first_profiled == 0) return std::string();
    return fmt::format("{}-{}", training.first_profiled, training.last_profiled);
  };
  return {.group = "Output",
          .flag = kFlag,
          .value = "A-B",
          .help = "epochs to capture, for a profiler that captures on request (tools/profile)",
          .get = get,
          .set = set};
}

// The value is "1,0.5,2" or "balanced".
Option class_weights_option(ClassWeightOptions& flags) {
  constexpr std::string_view kFlag = "--class-weights";
  const auto set = [&flags, kFlag](std::string_view given) {
    flags = {.balanced = given == "balanced"};
    if (flags.balanced || given.empty()) return;
    for (const auto part : split(given, ',')) {
      const auto weight = parse_number<float>(part);
      if (!weight || !std::isfinite(*weight) || *weight < 0) {
        throw UsageError(fmt::format(
            "{} {}: expected a number of 0 or more for each class, separated by commas, or balanced", kFlag,
            given));
      }
      flags.given.push_back(*weight);
    }
  };
  const auto get = [&flags] {
    return flags.balanced ? std::string("balanced") : fmt::format("{}", fmt::join(flags.given, ","));
  };
  return {.group = "Training",
          .flag = kFlag,
          .value = "A,B,...",
          .help =
              "cross-entropy, nll: weight of each class; balanced: inversely proportional to its number of "
              "samples",
          .range = "0 or more each, or balanced",
          .otherwise = "1 each",
          .get = get,
          .set = set};
}

void append(Options& rows, Options more) { std::ranges::move(more, std::back_inserter(rows)); }

void append_averages(Options& rows, TrainOptions& training) {
  constexpr std::string_view kGroup = "Training";
  constexpr double kMaxDecay = 0.9999999;
  rows.push_back(number<double>(
      {kGroup, "--ema", "DECAY",
       "evaluate and save an exponential moving average of the parameters with this decay; 0: off"},
      0, kMaxDecay, training.ema));
  rows.push_back(number<std::int64_t>(
      {kGroup, "--swa-start", "EPOCH",
       "evaluate and save the mean of the parameters after each epoch, from this epoch on; 0: off"},
      0, kMaxCount, training.swa_start));
}

Option update_option(bool& fuse) {
  auto option =
      choice<bool>({"Training", "--update", "HOW",
                    "fuse the plain SGD update into the weight-gradient GEMM, or run it as a separate pass"},
                   {{"fused", true}, {"separate", false}}, fuse);
  // Runs of earlier versions have "folded" instead of "fused" in config.toml.
  option.set = [set = option.set](std::string_view given) { set(given == "folded" ? "fused" : given); };
  return option;
}

Options training_options(RunOptions& run) {
  constexpr std::string_view kGroup = "Training";
  auto& training = run.training;
  Options rows;
  rows.push_back(network_option(run.network));
  rows.push_back(number<std::int64_t>({kGroup, "--epochs", "N", "number of passes over the training set"}, 1,
                                      kMaxCount, training.epochs));
  rows.push_back(number<std::int64_t>({kGroup, "--batch-size", "N", "number of samples per batch"}, 1,
                                      kMaxCount, training.batch_size));
  rows.push_back(
      number<std::int64_t>({kGroup, "--accumulate", "N",
                            "update the parameters after every N batches, with the mean of their gradients"},
                           1, kMaxCount, training.accumulate));
  rows.push_back(on_off(
      {kGroup, "--shuffle", "", "shuffle the training set in every epoch, in PyTorch's order for the seed"},
      training.shuffle));
  rows.push_back(number<std::uint64_t>({kGroup, "--seed", "N", "random seed, as for torch.manual_seed"}, 0,
                                       std::numeric_limits<std::uint64_t>::max(), training.seed));
  rows.push_back(update_option(training.fuse_update));
  rows.push_back(choice<LossKind>(
      {kGroup, "--loss", "NAME",
       "loss function; nll adds LogSoftmax to the network, and mse to bce-with-logits take one-hot labels"},
      {{"cross-entropy", LossKind::kCrossEntropy},
       {"nll", LossKind::kNll},
       {"mse", LossKind::kMse},
       {"l1", LossKind::kL1},
       {"smooth-l1", LossKind::kSmoothL1},
       {"huber", LossKind::kHuber},
       {"bce-with-logits", LossKind::kBceWithLogits},
       {"multi-margin", LossKind::kMultiMargin}},
      training.loss.kind));
  constexpr float kMaxError = 1e6F;
  rows.push_back(
      number<float>({kGroup, "--beta", "X", "smooth-l1: absolute error below which the loss is quadratic"}, 0,
                    kMaxError, training.loss.beta));
  rows.push_back(number<float>(
      {kGroup, "--delta", "X", "huber: absolute error up to which the loss is quadratic, above 0"}, 0,
      kMaxError, training.loss.delta));
  rows.push_back(
      number<float>({kGroup, "--margin", "X",
                     "multi-margin: required margin between the output of the label and the other outputs"},
                    0, kMaxError, training.loss.margin));
  rows.push_back(number<float>({kGroup, "--label-smoothing", "X", "cross-entropy: label smoothing factor"}, 0,
                               1, training.loss.label_smoothing));
  rows.push_back(class_weights_option(run.class_weights));
  constexpr float kMaxDropout = 0.99F;
  rows.push_back(number<float>({kGroup, "--dropout", "X", "dropout probability after each hidden activation"},
                               0, kMaxDropout, run.dropout));
  append_averages(rows, training);
  return rows;
}

Options validation_options(RunOptions& run) {
  constexpr std::string_view kGroup = "Validation";
  constexpr double kMaxShare = 0.99;
  Options rows;
  rows.push_back(number<double>(
      {kGroup, "--validation-split", "X", "fraction of the training set to hold out for validation; 0: none"},
      0, kMaxShare, run.validation.share));
  rows.push_back(
      on_off({kGroup, "--validation-shuffle", "",
              "hold out random samples, as torch's random_split for the seed, instead of the last ones"},
             run.validation.shuffle));
  rows.push_back(
      choice<BestBy>({kGroup, "--best-by", "WHAT",
                      "metric that selects best.safetensors, on the validation set or else on the test set"},
                     {{"loss", BestBy::kLoss}, {"accuracy", BestBy::kAccuracy}}, run.training.best_by));
  rows.push_back(number<std::int64_t>(
      {kGroup, "--patience", "N", "stop after this many epochs without improvement; 0: never"}, 0, kMaxCount,
      run.training.patience));
  rows.push_back(number<double>({kGroup, "--min-delta", "X", "smallest change that counts as an improvement"},
                                0, std::numeric_limits<double>::max(), run.training.min_delta));
  return rows;
}

// The value is "500", "500steps" or "2epochs".
Option save_every_option(CheckpointInterval& every) {
  constexpr std::string_view kFlag = "--checkpoint-every";
  const auto set = [&every, kFlag](std::string_view given) {
    const auto digits = std::min(given.find_first_not_of("0123456789"), given.size());
    const auto count = parse_number<std::int64_t>(given.substr(0, digits));
    const auto unit = given.substr(digits);
    const bool steps = unit.empty() || unit == "step" || unit == "steps";
    const bool epochs = unit == "epoch" || unit == "epochs";
    if (!count || *count < 1 || *count > kMaxCount || !(steps || epochs)) {
      throw UsageError(fmt::format("{} {}: expected steps or epochs, as in 500 or 2epochs", kFlag, given));
    }
    every.count = *count;
    every.in_epochs = epochs;
  };
  const auto get = [&every] {
    return fmt::format("{}{}", every.count, every.in_epochs ? "epochs" : "steps");
  };
  return {.group = "Run",
          .flag = kFlag,
          .value = "N",
          .help = "steps between two checkpoints, or epochs as in 2epochs",
          .range = "1 or more",
          .get = get,
          .set = set};
}

Options run_options(TrainCommand& command) {
  constexpr std::string_view kGroup = "Run";
  auto& run = command.run;
  Options rows;
  rows.push_back(
      text({kGroup, "--config", "FILE", "TOML file with options; flags on the command line take precedence"},
           "", command.config_file));
  rows.back().in_config = false;
  rows.push_back(text({kGroup, "--run-dir", "DIR",
                       "directory to create for the configuration, metrics, models and checkpoints"},
                      "", run.folder));
  rows.back().in_config = false;
  rows.push_back(save_every_option(run.checkpoint_every));
  rows.push_back(
      text({kGroup, "--save", "FILE", "save the trained model to this safetensors file"}, "", run.model));
  rows.push_back(text({kGroup, "--init-from", "FILE", "initialize the tensors that match from this model"},
                      "", run.init_from));
  rows.push_back({.group = kGroup,
                  .flag = "--names",
                  .value = "NAME",
                  .help = "attribute of the PyTorch module that holds the layers, which begins the tensors' "
                          "names; \"\" if the module itself is an nn.Sequential",
                  .otherwise = "linear_relu_stack; \"\" if --network is a list of layers",
                  .may_be_empty = true,
                  .get = [&command] { return names_of(command); },
                  .set = [&command](std::string_view given) { command.names = std::string(given); }});
  return rows;
}

// The options that most users need.
constexpr std::array<std::string_view, 13> kCommon{
    "--data", "--network", "--epochs",  "--batch-size", "--optimizer", "--lr",      "--shuffle",
    "--seed", "--device",  "--run-dir", "--save",       "--config",    "--progress"};

// Not saved in a run's configuration: it depends on the terminal that the run is watched on.
Option progress_option(bool& progress) {
  auto option = choice<bool>({"Output", "--progress", "WHEN",
                              "show a progress line on standard error: if it is a terminal, or never"},
                             {{"auto", true}, {"never", false}}, progress);
  option.in_config = false;
  return option;
}

}  // namespace

Options options_of(ResumeCommand& command) {
  return {text({"Run", "RUN_DIR", "", "directory of the run"}, "", command.folder),
          number<std::int64_t>(
              {"Run", "--epochs", "N", "epochs of the whole run, those already trained included"}, 1,
              kMaxCount, command.epochs, "the run's"),
          memory_limit_option(command.device_memory_limit, "the run's"),
          parallel_option(command.parallel),
          progress_option(command.verbosity.progress),
          quiet_option(command.verbosity.quiet),
          verbose_option(command.verbosity.verbose)};
}

Options options_of(TrainCommand& command) {
  auto& run = command.run;
  auto& training = run.training;
  Options rows;
  append(rows, run_options(command));
  append(rows, data_options(run.data));
  rows.push_back(
      text({"Data", "--class-names", "FILE",
            "names of the classes, one per line; without it classes.txt next to the training labels"},
           "", run.class_names));
  rows.push_back(normalize_option(run.normalization));
  rows.push_back(augment_option(training.augmentation));
  append(rows, training_options(run));
  append(rows, optimizer_options(command.optimizer, training.clipping));
  append(rows, schedule_options(command.schedule));
  append(rows, validation_options(run));
  append(rows, device_options(command.device));
  append(rows, parallel_options(command));
  rows.push_back(engine_option(training.engine));
  rows.push_back(residency_option(training.residency));
  rows.push_back(memory_limit_option(training.device_memory_limit, "all available"));
  rows.push_back(number<std::int64_t>({"Output", "--log-every", "N", "batches between two printed losses"}, 1,
                                      kMaxCount, training.log_every));
  rows.push_back(profile_option(training));
  rows.push_back(progress_option(command.verbosity.progress));
  rows.push_back(quiet_option(command.verbosity.quiet));
  rows.push_back(verbose_option(command.verbosity.verbose));
  for (auto& row : rows) row.is_common = std::ranges::find(kCommon, row.flag) != kCommon.end();
  return rows;
}

}  // namespace warpfit
