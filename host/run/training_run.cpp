#include "host/run/training_run.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "host/base/available_memory.hpp"
#include "host/base/error.hpp"
#include "host/files/atomic_file.hpp"
#include "host/model/frozen_parameters.hpp"
#include "host/model/initializer.hpp"
#include "host/model/warm_start.hpp"
#include "host/report/console.hpp"
#include "host/report/log.hpp"
#include "host/report/network_table.hpp"
#include "host/report/progress_line.hpp"
#include "host/report/reports.hpp"
#include "host/report/summary.hpp"
#include "host/run/check_alike.hpp"
#include "host/run/make_backend.hpp"
#include "host/run/run_recorder.hpp"
#include "host/run/training_files.hpp"
#include "host/run/whitening.hpp"
#include "host/train/interrupt.hpp"
#include "host/train/memory_estimate.hpp"

namespace warpfit {
namespace {

// Logs one line per tensor, up to a maximum.
void warn_of_tensors(std::string_view what, const std::vector<std::string>& names) {
  constexpr std::size_t kMaxLines = 20;
  for (std::size_t i = 0; i < std::min(names.size(), kMaxLines); ++i)
    log_warning(fmt::format("{}: {}", what, names[i]));
  if (names.size() > kMaxLines)
    log_warning(fmt::format("{}: {} more tensors", what, names.size() - kMaxLines));
}

void warm_start(const std::string& path, const ModelInfo& model, NetworkValues& values) {
  const auto met = load_matching(path, model, values.parameters, values.state);
  log_info(fmt::format("{}: {} of {} tensors loaded", path, met.loaded.size(),
                       met.loaded.size() + met.missing.size()));
  warn_of_tensors("not loaded, keeps its initial values", met.missing);
  warn_of_tensors("not used", met.unexpected);
  if (met.other_normalization) {
    log_warning(
        fmt::format("{}: was trained on samples that were normalized in another way; see --normalize", path));
  }
}

// The values of a checkpoint are loaded later with the rest of it; until then the network is created with
// arbitrary values.
NetworkValues first_values(const RunOptions& options, const ModelInfo& model, const NetworkPlan& plan,
                           const Subset& training_set, TorchGenerator& generator, bool resumes) {
  if (resumes) return {std::vector<float>(plan.floats), std::vector<float>(plan.state_floats)};
  NetworkValues values{initial_parameters(plan, generator), initial_state(plan)};
  whiten_first_layer(plan, training_set, model.normalization, values.parameters);
  if (!options.init_from.empty()) warm_start(options.init_from, model, values);
  return values;
}

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

// Ranks other than the first one compute the same states and drop them.
TrainerHooks hooks_without_files(const CheckpointInterval& every) {
  auto hooks = intervals_of(every);
  hooks.save = [](const TrainingState&) {};
  return hooks;
}

// `keeps`: whether the run has a folder, which the first rank has.
void run(const RunOptions& options, Ranks& ranks, const TrainingFiles& files, bool keeps, RunFolder* folder,
         std::optional<Checkpoint> checkpoint) {
  check_alike(ranks, options, keeps, files, checkpoint);
  const auto data = files.data(options);
  TrainOptions training = options.training;
  training.normalization = normalization_of(options.normalization, files.plan().sample, data.training);
  training.augmentation = fitted(training.augmentation, files.plan().sample);
  auto model = files.model();
  model.normalization = training.normalization;
  training.measure_norm = training.measure_norm || keeps;
  training.loss.class_weights = files.class_weights(options.class_weights, data.training);
  if (checkpoint) check_fits(*checkpoint, options, model, files.identity());
  const auto backend = make_backend(options.device);
  log_info(fmt::format("device: {}", backend->description()));
  log_info(fmt::format("data: {}", files.summary()));
  const auto frozen = frozen_parameters(files.plan());
  log_info(fmt::format("network: {}, {} parameters{}", model.network.text(), files.plan().parameters(),
                       frozen > 0 ? fmt::format(", {} of them frozen", frozen) : ""));
  if (!ranks.is_alone())
    log_info(
        fmt::format("{} processes, {}", ranks.communicator().size(), ranks.communicator().description()));
  warn_of_memory(*backend, files.plan(), data, training, keeps);

  TorchGenerator generator(training.seed);
  auto values = first_values(options, model, files.plan(), data.training, generator, checkpoint.has_value());
  ranks.communicator().broadcast(std::as_writable_bytes(std::span(values.parameters)), 0);
  ranks.communicator().broadcast(std::as_writable_bytes(std::span(values.state)), 0);
  Network network(*backend, files.plan(), values);
  values = {};
  const IgnoredPipe ignored_pipe;
  Console console;
  Summary summary;
  std::vector<std::reference_wrapper<Report>> observers;
  if (ranks.is_first()) observers = {console, summary};
  std::optional<RunRecorder> recorder;
  std::optional<Interrupt> interrupt;  // without a folder, a signal ends the run at once
  TrainerHooks hooks;
  if (folder != nullptr) {
    if (folder->is_new()) folder->write_config(options.config);
    recorder.emplace(*folder, model, files.identity(), checkpoint ? checkpoint->metrics : MetricsSizes{});
    observers.emplace_back(recorder->metrics());
    hooks = recorder->hooks(options.checkpoint_every);
  } else if (keeps) {
    hooks = hooks_without_files(options.checkpoint_every);
  }
  if (keeps) interrupt.emplace();
  hooks.should_stop = [&] { return !console.failure().empty() || (interrupt && interrupt->requested()); };
  Reports reports(observers);
  const auto progress = ranks.is_first() ? progress_of(options, reports) : nullptr;
  Report& report = progress ? static_cast<Report&>(*progress) : reports;
  Trainer trainer(*backend, network, data, training, generator, report, hooks);
  log_detail(fmt::format("layers:\n{}", network_table(files.plan())));
  log_detail(fmt::format("engine: {}", trainer.engine()));
  if (checkpoint) {
    if (options.replaces_config && training.patience > 0 &&
        checkpoint->state.best.epochs_without_improvement >= training.patience) {
      checkpoint->state.best.epochs_without_improvement = 0;
      log_info("the run had ended early; --patience counts from here on");
    }
    trainer.restore(checkpoint->state);
    log_info(fmt::format("resumed at epoch {}, batch {}", checkpoint->state.epoch, checkpoint->state.batch));
    checkpoint.reset();  // it takes as much memory as the parameters and the optimizer state
  }
  report.run_started({.plan = files.plan(),
                      .data = files.summary(),
                      .device = backend->description(),
                      .options = options.config,
                      .epochs = training.epochs});
  if (folder != nullptr) {
    if (options.replaces_config)
      folder->write_config(options.config);  // nothing refuses the run from here on
    folder->keep();
  }

  const auto stop_reason = trainer.run();
  if (stop_reason == StopReason::kInterrupted) end_interrupted(console, folder, ranks.is_first());
  if (!ranks.is_first()) return;
  if (stop_reason == StopReason::kNoImprovement)
    log_info(fmt::format("no improvement in {} epochs", training.patience));
  const auto parameters = trainer.parameters();
  const auto state = trainer.network_state();
  if (folder != nullptr) save_model(folder->file(kModelFile), model, parameters, state);
  if (!options.model.empty()) save_model(options.model, model, parameters, state);
  report.done();
  if (!console.failure().empty()) throw IoError(console.failure());
  const auto& best = trainer.best();
  log_ending(options, folder,
             summary.text({.epoch = best.epoch,
                           .value = best.value,
                           .is_accuracy = training.best_by == BestBy::kAccuracy,
                           .is_validation = data.validation.has_value()}));
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
