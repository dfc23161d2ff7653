#include "host/cli/train_command.hpp"

#include <utility>

#include "host/cli/config.hpp"
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
  if (command.device_memory_limit) train.run.training.device_memory_limit = command.device_memory_limit;
  auto checkpoint = folder.newest(log_warning);
  if (!checkpoint) log_info("no checkpoint yet: the run starts from the beginning");
  auto options = run_options_of(train);
  options.shows_progress = shows_progress(command.verbosity);
  resume_training(options, folder, std::move(checkpoint));
}

}  // namespace warpfit
