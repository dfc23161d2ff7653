#include "host/run/training_run.hpp"

#include <fmt/core.h>

#include <filesystem>
#include <memory>
#include <span>
#include <system_error>
#include <utility>

#include "host/base/available_memory.hpp"
#include "host/base/error.hpp"
#include "host/files/atomic_file.hpp"
#include "host/model/frozen_parameters.hpp"
#include "host/report/console.hpp"
#include "host/report/log.hpp"
#include "host/report/network_table.hpp"
#include "host/report/progress_line.hpp"
#include "host/report/reports.hpp"
#include "host/report/summary.hpp"
#include "host/run/check_alike.hpp"
#include "host/run/first_values.hpp"
#include "host/run/make_backend.hpp"
#include "host/run/run_recorder.hpp"
#include "host/run/training_files.hpp"
#include "host/train/interrupt.hpp"
#include "host/train/memory_estimate.hpp"

namespace warpfit {
namespace {

void check_fits(const Checkpoint& checkpoint, const RunOptions& options, const ModelInfo& model,
                const std::string& data) {
  const auto begun = checkpoint.state.epoch - (checkpoint.state.batch > 0 ? 0 : 1);
  if (options.training.epochs < begun) {
    throw UsageError(
        fmt::format("--epochs {}: the run has already reached epoch {}", options.training.epochs, begun));
  }
  if (checkpoint.info.network != model.network) {
    throw ModelError(fmt::format("checkpoint of network {}, but config.toml and the data set specify {}",
                                 checkpoint.info.network.text(), model.network.text()));
  }
  if (checkpoint.data != data) {
    throw ModelError(
        fmt::format("checkpoint of another data set: {}, but the data set is now {}", checkpoint.data, data));
  }
}

void warn_of_memory(Backend& backend, const NetworkPlan& network, const TrainingData& data,
                    const TrainOptions& options, bool saves) {
  const BatchShare share(backend.communicator(), options.ordered_sums);
  const auto needed =
      estimated_memory(network, fitting(options, share), batch_sizes(options, data, share), backend, saves);
  const auto warning = memory_warning(needed, available_memory());
  if (!warning.empty()) log_warning(warning);
}

// `folder`: null on ranks other than the first one.
[[noreturn]] void end_interrupted(const Console& console, const RunFolder* folder, bool is_first) {
  if (!is_first) throw Interrupted("");
  const auto saved = folder == nullptr
                         ? std::string()
                         : fmt::format("; checkpoint saved. Resume with: warpfit resume {}", folder->path());
  if (!console.failure().empty()) throw IoError(console.failure() + saved);
  throw Interrupted("interrupted" + saved);
}

std::unique_ptr<ProgressReport> progress_of(const RunOptions& options, Report& reports) {
  const auto terminal = options.shows_progress ? progress_terminal() : std::nullopt;
  return terminal ? std::make_unique<ProgressReport>(reports, *terminal) : nullptr;
}

// `folder` is that of the run, new or resumed; null if the run is not kept.
void log_ending(const RunOptions& options, const RunFolder* folder, const std::string& summary) {
  if (!summary.empty()) log_info(summary);
  if (folder != nullptr) log_info(fmt::format("run: {}", folder->path()));
  const auto model = !options.model.empty() ? options.model
                     : folder != nullptr    ? (std::filesystem::path(folder->path()) / kModelFile).string()
                                            : std::string();
  if (model.empty()) {
    log_info("the model was not saved; --save FILE or --run-dir DIR saves it");
  } else {
    log_info(fmt::format("model: {}; evaluate it with: warpfit eval {} --data DIR", model, model));
  }
}

// `recorder` is empty on ranks other than the first one, which compute the same states and drop them.
TrainerHooks hooks_of(const CheckpointInterval& every, std::optional<RunRecorder>& recorder, bool is_first) {
  auto hooks = intervals_of(every);
  hooks.save = [&recorder](TrainingState state) {
    if (recorder) recorder->save(std::move(state));
  };
  if (!is_first) return hooks;
  hooks.improved = [&recorder](std::span<const float> parameters, std::span<const float> state) {
    if (recorder) recorder->save_best(parameters, state);
  };
  return hooks;
}

// What a run is made of, besides its data.
struct Plan {
  TrainingData data;
  TrainOptions training;
  ModelInfo model;
};

Plan plan_run(const RunOptions& options, const TrainingFiles& files, bool keeps) {
  Plan plan{files.data(options), options.training, files.model()};
  auto& training = plan.training;
  training.normalization = normalization_of(options.normalization, files.plan().sample, plan.data.training);
  training.augmentation = fitted(training.augmentation, files.plan().sample);
  training.measure_norm = training.measure_norm || keeps;
  training.loss.class_weights = files.class_weights(options.class_weights, plan.data.training);
  plan.model.normalization = training.normalization;
  return plan;
}

void log_start(const Backend& backend, const TrainingFiles& files, Ranks& ranks) {
  log_info(fmt::format("device: {}", backend.description()));
  log_info(fmt::format("data: {}", files.summary()));
  const auto frozen = frozen_parameters(files.plan());
  log_info(fmt::format("network: {}, {} parameters{}", files.model().network.text(),
                       files.plan().parameters(),
                       frozen > 0 ? fmt::format(", {} of them frozen", frozen) : ""));
  if (ranks.is_alone()) return;
  log_info(fmt::format("{} processes, {}", ranks.communicator().size(), ranks.communicator().description()));
}

// The first values of the network, which are those of rank 0 on all ranks.
NetworkValues values_for_all(const RunOptions& options, const TrainingFiles& files, const Plan& plan,
                             TorchGenerator& generator, bool resumes, Communicator& communicator) {
  auto values = first_values(options, plan.model, files.plan(), plan.data.training, generator, resumes);
  communicator.broadcast(std::as_writable_bytes(std::span(values.parameters)), 0);
  communicator.broadcast(std::as_writable_bytes(std::span(values.state)), 0);
  return values;
}

void resume_from(Checkpoint& checkpoint, Trainer& trainer, const RunOptions& options) {
  auto& waited = checkpoint.state.best.epochs_without_improvement;
  if (options.replaces_config && options.training.patience > 0 && waited >= options.training.patience) {
    waited = 0;
    log_info("the run had ended early; --patience counts from here on");
  }
  trainer.restore(checkpoint.state);
  log_info(fmt::format("resumed at epoch {}, batch {}", checkpoint.state.epoch, checkpoint.state.batch));
}

// `keeps`: whether the run has a folder. `folder` is null on ranks other than the first one, and if it is yet
// to be created.
void run(const RunOptions& options, Ranks& ranks, const TrainingFiles& files, bool keeps, RunFolder* folder,
         std::optional<Checkpoint> checkpoint) {
  check_alike(ranks, options, keeps, files, checkpoint);
  const auto plan = plan_run(options, files, keeps);
  if (checkpoint) check_fits(*checkpoint, options, plan.model, files.identity());
  const auto backend = make_backend(options.device);
  log_start(*backend, files, ranks);
  warn_of_memory(*backend, files.plan(), plan.data, plan.training, keeps);

  TorchGenerator generator(plan.training.seed);
  Network network(
      *backend, files.plan(),
      values_for_all(options, files, plan, generator, checkpoint.has_value(), ranks.communicator()));
  const IgnoredPipe ignored_pipe;
  Console console;
  Summary summary;
  Reports reports;
  if (ranks.is_first()) {
    reports.add(console);
    reports.add(summary);
  }
  std::optional<RunFolder> new_folder;
  std::optional<RunRecorder> recorder;  // on the first rank
  std::optional<Interrupt> interrupt;   // without a folder, a signal ends the run at once
  if (keeps) interrupt.emplace();
  auto hooks = keeps ? hooks_of(options.checkpoint_every, recorder, ranks.is_first()) : TrainerHooks{};
  hooks.should_stop = [&] { return !console.failure().empty() || (interrupt && interrupt->requested()); };
  const auto progress = ranks.is_first() ? progress_of(options, reports) : nullptr;
  Report& report = progress ? static_cast<Report&>(*progress) : reports;
  Trainer trainer(*backend, network, plan.data, plan.training, generator, report, hooks);
  log_detail(fmt::format("layers:\n{}", network_table(files.plan())));
  log_detail(fmt::format("engine: {}", trainer.engine()));
  const auto metrics = checkpoint ? checkpoint->metrics : MetricsSizes{};
  if (checkpoint) resume_from(*checkpoint, trainer, options);
  checkpoint.reset();  // it takes as much memory as the parameters and the optimizer state

  ranks.wait_for_all();
  if (keeps && ranks.is_first()) {
    if (folder == nullptr) folder = &new_folder.emplace(RunFolder::create(options.folder));
    if (folder->is_new()) folder->write_config(options.config);
    recorder.emplace(*folder, plan.model, files.identity(), metrics);
    reports.add(recorder->metrics());
  }
  report.run_started({.plan = files.plan(),
                      .data = files.summary(),
                      .device = backend->description(),
                      .options = options.config,
                      .epochs = plan.training.epochs});
  if (folder != nullptr) {
    if (options.replaces_config)
      folder->write_config(options.config);  // nothing refuses the run from here on
    folder->keep();
  }

  const auto stop_reason = trainer.run();
  if (stop_reason == StopReason::kInterrupted) end_interrupted(console, folder, ranks.is_first());
  if (!ranks.is_first()) return;
  if (stop_reason == StopReason::kNoImprovement)
    log_info(fmt::format("no improvement in {} epochs", plan.training.patience));
  const auto parameters = trainer.parameters();
  const auto state = trainer.network_state();
  if (folder != nullptr) save_model(folder->file(kModelFile), plan.model, parameters, state);
  if (!options.model.empty()) save_model(options.model, plan.model, parameters, state);
  report.done();
  if (!console.failure().empty()) throw IoError(console.failure());
  const auto& best = trainer.best();
  log_ending(options, folder,
             summary.text({.epoch = best.epoch,
                           .value = best.value,
                           .is_accuracy = plan.training.best_by == BestBy::kAccuracy,
                           .is_validation = plan.data.validation.has_value()}));
}

// The folder may come from somebody else, who has chosen the path: no file of the user may be overwritten
// unless it is a model.
void check_replaces_model(const std::string& path) {
  std::error_code error;
  if (path.empty() || !std::filesystem::exists(path, error)) return;
  try {
    if (is_own_model(SafetensorsFile(path))) return;
  } catch (const ModelError&) {
  }
  throw IoError(fmt::format(
      "{}: the run's config.toml names this file to save the model in (--save), but it is not a model of "
      "warpfit, and a resumed run replaces no other file; move it away first",
      path));
}

}  // namespace

// All outputs are checked to be writable before data is read, so that a wrong path is found before training.
void train(RunOptions options, Ranks& ranks) {
  if (!options.folder.empty() && options.config.empty())
    throw InternalError("a run with a folder needs its options as text");
  std::optional<RunFolder> folder;
  if (ranks.is_first() && !options.folder.empty()) folder.emplace(RunFolder::create(options.folder));
  if (ranks.is_first() && !options.model.empty()) check_writable(options.model);
  // If another rank fails, it ends this one, and the folder would remain: it is created again when all are
  // ready.
  if (!ranks.is_alone()) folder.reset();
  ranks.choose_device(options.device, options.parallel, options.training.ordered_sums);
  std::optional<DeviceWarmUp> warm_up(options.device.device);
  const TrainingFiles files(options);
  warm_up.reset();
  run(options, ranks, files, !options.folder.empty(), folder ? &*folder : nullptr, std::nullopt);
}

void resume_training(RunOptions options, Ranks& ranks, RunFolder* folder,
                     std::optional<Checkpoint> checkpoint) {
  if (ranks.is_first()) check_replaces_model(options.model);
  ranks.choose_device(options.device, options.parallel, options.training.ordered_sums);
  auto data_options = options;
  if (checkpoint) data_options.class_names.clear();  // they are in the checkpoint, and the file may be gone
  TrainingFiles files(data_options);
  if (checkpoint) files.set_class_names(checkpoint->info.class_names);
  run(options, ranks, files, true, folder, std::move(checkpoint));
}

}  // namespace warpfit
