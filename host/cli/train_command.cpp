#include "host/cli/train_command.hpp"

#include <fmt/core.h>

#include <filesystem>
#include <optional>
#include <string>
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

// The newest checkpoint of the run, which rank 0 has chosen and every rank reads. `folder` is null on the
// other ranks.
std::optional<Checkpoint> newest_checkpoint(Ranks& ranks, const RunFolder* folder) {
  std::optional<Checkpoint> checkpoint;
  if (folder != nullptr) checkpoint = folder->newest(log_warning);
  const auto path = ranks.communicator().gather(checkpoint ? checkpoint->path : "").front();
  if (folder == nullptr && !path.empty()) checkpoint = load_checkpoint(path);
  return checkpoint;
}

void resume(const ResumeCommand& command, Ranks& ranks) {
  std::optional<RunFolder> folder;
  if (ranks.is_first()) folder.emplace(RunFolder::open(command.folder));
  TrainCommand train;
  const auto config = (std::filesystem::path(command.folder) / kConfigFile).string();
  apply_config_file(folder ? folder->file(kConfigFile) : config, options_of(train));
  train.run.parallel = command.parallel;
  const auto planned =
      std::exchange(train.run.training.epochs, command.epochs.value_or(train.run.training.epochs));
  auto checkpoint = newest_checkpoint(ranks, folder ? &*folder : nullptr);
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
  resume_training(options, ranks, folder ? &*folder : nullptr, std::move(checkpoint));
}

}  // namespace

void run(const TrainCommand& command) {
  apply(command.verbosity);
  auto options = run_options_of(command);
  options.shows_progress = shows_progress(command.verbosity);
  run_on_ranks(options.parallel, "; try a smaller --batch-size or --network",
               [&](Ranks& ranks) { train(options, ranks); });
}

void run(const ResumeCommand& command) {
  apply(command.verbosity);
  run_on_ranks(command.parallel, "", [&](Ranks& ranks) { resume(command, ranks); });
}

}  // namespace warpfit
