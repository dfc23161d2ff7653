#include "host/train/checkpoint.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "host/base/error.hpp"
#include "host/base/finite.hpp"
#include "host/base/parse_number.hpp"
#include "host/base/shown.hpp"
#include "host/files/safetensors_file.hpp"
#include "host/files/safetensors_writer.hpp"

namespace warpfit {
namespace {

constexpr std::string_view kData = "warpfit.data";
constexpr std::string_view kSeed = "generator_seed";
constexpr std::string_view kScalar = "optimizer_scalar";  // missing in files of earlier versions

constexpr std::string_view kAveragedModels = "averaged_models";  // missing in files of earlier versions

std::string prefix_of(std::string_view what) { return fmt::format("{}{}.", kOptimizerPrefix, what); }

std::string key_of(std::string_view name) { return fmt::format("warpfit.state.{}", name); }

std::string moment_prefix(std::size_t moment) { return prefix_of(fmt::format("{}", moment)); }

// Calls field(name, value) for every number of the state. Writing and reading use the same list, so that no
// number is forgotten. A double in fmt's shortest representation reads back as the same double.
template <class State, class Sizes, class Field>
void for_each_number(State& state, Sizes& metrics, Field field) {
  field("epoch", state.epoch);
  field("batch", state.batch);
  field("step", state.step);
  field("loss_sum", state.metrics.loss_sum);
  field("last_loss", state.metrics.last_loss);
  field("batches", state.metrics.batches);
  field("correct", state.metrics.correct);
  field("best_epoch", state.best.epoch);
  field("best_value", state.best.value);
  field("waited", state.best.epochs_without_improvement);
  field("best_reference", state.best.reference);
  field("optimizer_steps", state.optimizer.steps);
  field("metrics_json_bytes", metrics.json);
  field("metrics_csv_bytes", metrics.csv);
}

// Calls field(name, values) for the other arrays with the layout of the parameters, which are empty in some
// runs.
template <class State, class Field>
void for_each_other(State& state, Field field) {
  field("gradient_sum", state.gradient_sum);
  field("averages", state.averages);
}

// The key of the scalar of a group of parameters after the first one; missing in files of earlier versions.
std::string scalar_of_group(std::size_t group) { return fmt::format("{}_{}", kScalar, group); }

const std::string& entry(const SafetensorsFile& file, const std::string& key) {
  const auto found = file.metadata().find(key);
  if (found == file.metadata().end()) {
    throw ModelError(
        fmt::format("{}: no {} in its metadata; expected a checkpoint of warpfit train", file.path(), key));
  }
  return found->second;
}

// Counts are bounded so that sums and products of them cannot overflow; seeds have 64 bits.
template <class T>
bool is_allowed(T value, std::string_view name) {
  constexpr std::int64_t kMaxCount = std::int64_t{1} << 53;
  if constexpr (std::is_floating_point_v<T>) {
    return std::isfinite(value);
  } else {
    return name == kSeed || (std::cmp_greater_equal(value, 0) && std::cmp_less_equal(value, kMaxCount));
  }
}

template <class T>
T number_at(const SafetensorsFile& file, std::string_view name) {
  const auto& text = entry(file, key_of(name));
  const auto value = parse_number<T>(text);
  if (!value || !is_allowed(*value, name)) {
    throw ModelError(
        fmt::format("{}: {} is '{}', expected a number", file.path(), key_of(name), shown(text)));
  }
  return *value;
}

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw ModelError(fmt::format("{}: {}; expected a checkpoint of warpfit train", path, what));
}

// Rejects, when writing and when reading, a state that no run can have although each of its numbers alone is
// valid. The number of random draws is checked before the generator is created, because the generator repeats
// the draws one by one.
void check(const std::string& path, const TrainingState& state, std::uint64_t draws) {
  constexpr std::int64_t kMaxEpochs = 1'000'000'000;  // the maximum of --epochs
  constexpr std::uint64_t kMaxDrawsPerEpoch = 8;      // SampleOrder::of_pass for three data sets
  if (!all_finite(state.parameters) || !all_finite(state.network))
    fail(path, "a parameter or a running statistic is not a finite number");
  if (state.epoch < 1 || state.epoch > kMaxEpochs + 1)
    fail(path, fmt::format("epoch {}, expected 1 to {}", state.epoch, kMaxEpochs));
  if (state.metrics.batches != state.batch)
    fail(path, fmt::format("losses of {} batches at batch {}", state.metrics.batches, state.batch));
  if (state.best.epoch >= state.epoch || state.best.epochs_without_improvement >= state.epoch)
    fail(path, fmt::format("a best epoch {}, {} epochs ago, at epoch {}", state.best.epoch,
                           state.best.epochs_without_improvement, state.epoch));
  if (state.optimizer.steps > state.step)
    fail(path, fmt::format("{} steps of the optimizer at step {}", state.optimizer.steps, state.step));
  if (state.averaged_models > state.step)
    fail(path, fmt::format("{} averaged models at step {}", state.averaged_models, state.step));
  const auto max_draws =
      state.parameters.size() + kMaxDrawsPerEpoch * static_cast<std::uint64_t>(state.epoch);
  if (draws > max_draws)
    fail(path, fmt::format("{} random numbers drawn, expected at most {}", draws, max_draws));
}

bool holds(const SafetensorsFile& file, std::string_view prefix) {
  return std::ranges::any_of(file.tensors(),
                             [prefix](const auto& tensor) { return tensor.name.starts_with(prefix); });
}

}  // namespace

void save_checkpoint(const FileLocation& location, const Checkpoint& checkpoint) {
  const auto& state = checkpoint.state;
  const std::string& path = location.path;
  check(path, state, state.generator.draws());
  auto metadata = metadata_of(checkpoint.info);
  const auto set = [&](std::string_view name, auto value) {
    if (!is_allowed(value, name)) fail(path, fmt::format("{} is {}", key_of(name), value));
    metadata[key_of(name)] = fmt::format("{}", value);
  };
  for_each_number(state, checkpoint.metrics, set);
  set(kScalar, state.optimizer.scalar);
  const auto& scalars = state.optimizer.other_scalars;
  for (std::size_t i = 0; i < scalars.size(); ++i) set(scalar_of_group(i + 1), scalars[i]);
  set(kAveragedModels, state.averaged_models);
  set(kSeed, state.generator.seed());
  set("generator_draws", state.generator.draws());
  metadata[std::string(kData)] = checkpoint.data;

  auto tensors = parameter_tensors(checkpoint.info, state.parameters);
  const auto network = state_tensors(checkpoint.info, state.network);
  tensors.insert(tensors.end(), network.tensors.begin(), network.tensors.end());
  for (std::size_t k = 0; k < kMaxMoments; ++k) {
    if (state.optimizer.moments[k].empty()) continue;
    const auto moment = parameter_tensors(checkpoint.info, state.optimizer.moments[k], moment_prefix(k));
    tensors.insert(tensors.end(), moment.begin(), moment.end());
  }
  for_each_other(state, [&](std::string_view name, const auto& values) {
    if (values.empty()) return;
    const auto more = parameter_tensors(checkpoint.info, values, prefix_of(name));
    tensors.insert(tensors.end(), more.begin(), more.end());
  });
  write_safetensors(location, metadata, tensors);
}

Checkpoint load_checkpoint(const FileLocation& location) {
  const SafetensorsFile file(location, Checksum::kRequired);
  Model model = load_model(file);
  Checkpoint checkpoint{
      .info = model.info, .state = {}, .metrics = {}, .data = entry(file, std::string(kData))};
  auto& state = checkpoint.state;
  state.parameters = std::move(model.parameters);
  state.network = std::move(model.state);
  for (std::size_t k = 0; k < kMaxMoments; ++k) {
    if (!holds(file, moment_prefix(k))) continue;
    state.optimizer.moments[k] = read_parameters(file, checkpoint.info, moment_prefix(k));
  }
  for_each_other(state, [&](std::string_view name, auto& values) {
    const auto prefix = prefix_of(name);
    if (holds(file, prefix)) values = read_parameters(file, checkpoint.info, prefix);
  });
  for_each_number(state, checkpoint.metrics, [&](std::string_view name, auto& value) {
    value = number_at<std::remove_reference_t<decltype(value)>>(file, name);
  });
  if (file.metadata().contains(key_of(kScalar))) state.optimizer.scalar = number_at<float>(file, kScalar);
  for (std::size_t i = 1; file.metadata().contains(key_of(scalar_of_group(i))); ++i)
    state.optimizer.other_scalars.push_back(number_at<float>(file, scalar_of_group(i)));
  if (file.metadata().contains(key_of(kAveragedModels)))
    state.averaged_models = number_at<std::int64_t>(file, kAveragedModels);
  const auto draws = number_at<std::uint64_t>(file, "generator_draws");
  check(file.path(), state, draws);
  state.generator = TorchGenerator(number_at<std::uint64_t>(file, kSeed), draws);
  return checkpoint;
}

}  // namespace warpfit
