#include "host/cli/training_run.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>

#include "host/base/available_memory.hpp"
#include "host/base/error.hpp"
#include "host/cli/config.hpp"
#include "host/cli/inference.hpp"
#include "host/cli/training_setup.hpp"
#include "host/files/atomic_file.hpp"
#include "host/model/initializer.hpp"
#include "host/report/console.hpp"
#include "host/report/log.hpp"
#include "host/report/reports.hpp"
#include "host/train/interrupt.hpp"
#include "host/train/memory_estimate.hpp"

namespace warpfit {
namespace {

// A line for each tensor, as far as anybody would read them.
void warn_of_tensors(std::string_view what, const std::vector<std::string>& names) {
  constexpr std::size_t kMaxLines = 20;
  for (std::size_t i = 0; i < std::min(names.size(), kMaxLines); ++i)
    log_warning(fmt::format("{}: {}", what, names[i]));
  if (names.size() > kMaxLines)
    log_warning(fmt::format("{}: {} more tensors", what, names.size() - kMaxLines));
}

void warm_start(const std::string& path, const ModelInfo& model, std::span<float> parameters) {
  const auto met = load_matching(path, model, parameters);
  log_info(fmt::format("{}: {} of {} tensors loaded", path, met.loaded.size(),
                       met.loaded.size() + met.missing.size()));
  warn_of_tensors("not loaded, as drawn", met.missing);
  warn_of_tensors("not used", met.unexpected);
}

void check_fits(const Checkpoint& checkpoint, const ModelInfo& model, const std::string& data) {
  if (checkpoint.info.network != model.network) {
    throw ModelError(fmt::format("checkpoint of network {}, but config.toml and data ask for {}",
                                 checkpoint.info.network.text(), model.network.text()));
  }
  if (checkpoint.data != data) {
    throw ModelError(fmt::format("checkpoint of other data: {}, but now there is {}", checkpoint.data, data));
  }
}

// A run in a folder, from the trainer's point of view.
class Keeper {
 public:
  Keeper(const RunFolder& folder, const ModelInfo& model, std::string data, const std::string& device,
         const MetricsSizes& keep)
      : folder_(folder), model_(model), data_(std::move(data)), metrics_(folder.folder(), device, keep) {}

  [[nodiscard]] Report& metrics() { return metrics_; }

  void save(TrainingState state) {
    metrics_.flush();
    folder_.save({model_, std::move(state), metrics_.sizes(), data_});
  }
  void improved(std::span<const float> parameters) {
    save_model(folder_.file(kBestFile), model_, parameters);
  }

 private:
  const RunFolder& folder_;
  const ModelInfo& model_;
  std::string data_;
  MetricsReport metrics_;
};

TrainerHooks hooks_for(const RunFlags& run, Keeper& keeper) {
  return {.should_stop = {},
          .save_every_steps = run.save_in_epochs ? 0 : run.save_every,
          .save_every_epochs = run.save_in_epochs ? run.save_every : 0,
          .save = [&keeper](TrainingState state) { keeper.save(std::move(state)); },
          .improved = [&keeper](std::span<const float> parameters) { keeper.improved(parameters); }};
}

[[noreturn]] void end_interrupted(const Console& console, const RunFolder* folder) {
  const auto saved = folder == nullptr
                         ? std::string()
                         : fmt::format("; checkpoint saved. Resume with: warpfit resume {}", folder->path());
  if (!console.failure().empty()) throw IoError(console.failure() + saved);
  throw Interrupted("interrupted" + saved);
}

void warn_of_memory(const Backend& backend, const TrainingFiles& files, const TrainOptions& options,
                    bool saves) {
  const auto rows = std::min(options.batch_size, files.most_samples());
  const auto needed = estimated_memory(files.plan(), options, rows, backend.is_host(), saves);
  const auto warning = memory_warning(needed, available_memory());
  if (!warning.empty()) log_warning(warning);
}

// A checkpoint's are loaded later, with the rest of it; the network is made with anything until then.
std::vector<float> first_parameters(const TrainCommand& command, const TrainingFiles& files,
                                    TorchGenerator& generator, const std::optional<Checkpoint>& checkpoint) {
  if (checkpoint) return std::vector<float>(files.plan().floats);
  auto parameters = initial_parameters(files.plan(), generator);
  if (!command.run.init_from.empty()) warm_start(command.run.init_from, files.model(), parameters);
  return parameters;
}

// A run may be resumed from another working folder.
void make_absolute(std::string& path) {
  if (path.empty()) return;
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  if (error) throw IoError(fmt::format("{}: cannot find the working folder: {}", path, error.message()));
  path = absolute.string();
}

std::string config_of(TrainCommand command) {
  auto& files = command.data.files;
  for (auto* path : {&command.data.folder, &files.train_images, &files.train_labels, &files.test_images,
                     &files.test_labels, &command.run.init_from, &command.run.model}) {
    make_absolute(*path);
  }
  return config_text(options_of(command));
}

void train(const TrainCommand& command, const BackendOptions& device, TrainOptions options,
           const TrainingFiles& files, RunFolder* folder, std::optional<Checkpoint> checkpoint) {
  const auto& model = files.model();
  const auto data = files.data(command);
  options.loss.class_weights = files.class_weights(command.class_weights, data.training);
  if (checkpoint) check_fits(*checkpoint, model, files.identity());
  const auto backend = make_backend(device);
  log_info(fmt::format("device: {}", backend->description()));
  log_info(fmt::format("data: {}", files.summary()));
  log_info(fmt::format("network: {}, {} parameters", model.network.text(), files.plan().parameters()));

  warn_of_memory(*backend, files, options, folder != nullptr);

  TorchGenerator generator(options.seed);
  Network network(*backend, files.plan(), first_parameters(command, files, generator, checkpoint));
  const IgnoredPipe ignored_pipe;
  Console console;
  std::vector<std::reference_wrapper<Report>> shown{console};
  std::optional<Keeper> keeper;
  std::optional<Interrupt> interrupt;  // a run without a folder is ended by a signal at once
  TrainerHooks hooks;
  if (folder != nullptr) {
    if (folder->is_new()) folder->write_config(config_of(command));
    keeper.emplace(*folder, model, files.identity(), backend->description(),
                   checkpoint ? checkpoint->metrics : MetricsSizes{});
    shown.emplace_back(keeper->metrics());
    hooks = hooks_for(command.run, *keeper);
    interrupt.emplace();
  }
  hooks.should_stop = [&] { return !console.failure().empty() || (interrupt && interrupt->requested()); };
  Reports reports(shown);
  Trainer trainer(*backend, network, data, options, generator, reports, hooks);
  log_detail(fmt::format("engine: {}", trainer.engine()));
  if (checkpoint) {
    trainer.restore(checkpoint->state);
    log_info(fmt::format("resumed at epoch {}, batch {}", checkpoint->state.epoch, checkpoint->state.batch));
    checkpoint.reset();  // it takes as much memory as all that is trained
  }
  if (folder != nullptr) folder->keep();

  const auto ending = trainer.run();
  if (ending == Ending::kInterrupted) end_interrupted(console, folder);
  if (ending == Ending::kNoImprovement) {
    log_info(fmt::format("no improvement in {} epochs", options.patience));
  }
  const auto parameters = trainer.parameters();
  if (folder != nullptr) save_model(folder->file(kModelFile), model, parameters);
  if (!command.run.model.empty()) save_model(command.run.model, model, parameters);
  reports.done();
  if (!console.failure().empty()) throw IoError(console.failure());
}

// The folder may be somebody else's, who has chosen the path: no file of the user's but a model may be lost.
void check_replaces_model(const std::string& path) {
  std::error_code error;
  if (path.empty() || !std::filesystem::exists(path, error)) return;
  try {
    if (is_own_model(SafetensorsFile(path))) return;
  } catch (const ModelError&) {
  }
  throw IoError(fmt::format(
      "{}: the run's config.toml names this file to save the model in (--save), but it is no model of "
      "warpfit, and a resumed run replaces no other file; move it away first",
      path));
}

}  // namespace

// Before data is read, every output is proven writable: training takes time that a wrong path should not
// waste.
void train(const TrainCommand& command) {
  const auto options = training_options_of(command);
  const auto device = backend_options(command.device);
  std::optional<RunFolder> folder;
  if (!command.run.folder.empty()) folder.emplace(RunFolder::create(command.run.folder));
  if (!command.run.model.empty()) check_writable(command.run.model);
  std::optional<DeviceWarmUp> warm_up(device.device);
  const TrainingFiles files(command);
  warm_up.reset();
  train(command, device, options, files, folder ? &*folder : nullptr, std::nullopt);
}

void resume_training(const TrainCommand& command, RunFolder& folder, std::optional<Checkpoint> checkpoint) {
  check_replaces_model(command.run.model);
  auto options = training_options_of(command);
  options.measure_norm = true;
  train(command, backend_options(command.device), options, TrainingFiles(command), &folder,
        std::move(checkpoint));
}

}  // namespace warpfit
