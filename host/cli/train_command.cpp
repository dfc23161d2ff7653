#include "host/cli/train_command.hpp"

#include <fmt/core.h>

#include <utility>

#include "host/cli/config.hpp"
#include "host/cli/schedule_options.hpp"
#include "host/cli/training_setup.hpp"
#include "host/report/log.hpp"
#include "host/run/training_run.hpp"

namespace warpfit {

namespace {

void apply(const Verbosity& verbosity) {
  if (verbosity.verbose) show_details();
  if (verbosity.quiet) silence_info();
}

bool shows_progress(const Verbosity& verbosity) { return verbosity.progress && !verbosity.quiet; }

}  // namespace

void run(const TrainCommand& command) {
  apply(command.verbosity);
  auto options = run_options_of(command);
  options.shows_progress = shows_progress(command.verbosity);
  train(options);
}

void run(const ResumeCommand& command) {
  apply(command.verbosity);
  auto folder = RunFolder::open(command.folder);
  TrainCommand train;
  apply_config_file(folder.file(kConfigFile), options_of(train));
  const auto planned =
      std::exchange(train.run.training.epochs, command.epochs.value_or(train.run.training.epochs));
  auto checkpoint = folder.newest(log_warning);
  if (!checkpoint) log_info("no checkpoint yet: the run starts from the beginning");
  auto options = run_options_of(train);
  options.replaces_config = options.training.epochs != planned;
  if (options.replaces_config && spans_all_epochs(train.schedule)) {
    log_warning(fmt::format(
        "the schedule spans all epochs: from now on the learning rate is that of a run of {} epochs, "
        "not of {}",
        options.training.epochs, planned));
  }
  if (command.device_memory_limit) options.training.device_memory_limit = command.device_memory_limit;
  options.shows_progress = shows_progress(command.verbosity);
  resume_training(options, folder, std::move(checkpoint));
}

}  // namespace warpfit
