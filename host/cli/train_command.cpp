#include "host/cli/train_command.hpp"

#include "host/cli/config.hpp"
#include "host/cli/training_run.hpp"
#include "host/report/log.hpp"

namespace warpfit {

void run(const TrainCommand& command) {
  if (command.quiet) silence_info();
  train(command);
}

void run(const ResumeCommand& command) {
  if (command.quiet) silence_info();
  const auto folder = RunFolder::open(command.folder);
  TrainCommand train;
  apply_config_file(folder.file("config.toml"), options_of(train));
  const auto checkpoint = folder.newest(log_warning);
  if (!checkpoint) log_info("no checkpoint yet: the run begins anew");
  resume_training(train, folder, checkpoint ? &*checkpoint : nullptr);
}

}  // namespace warpfit
