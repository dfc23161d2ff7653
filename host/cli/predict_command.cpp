#include "host/cli/predict_command.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/base/error.hpp"
#include "host/cli/common_options.hpp"
#include "host/cli/device_options.hpp"
#include "host/cli/input_options.hpp"
#include "host/cli/option_rows.hpp"
#include "host/model/state_dict_layers.hpp"
#include "host/report/log.hpp"
#include "host/run/inference.hpp"

namespace warpfit {
namespace {

// A network that ends in LogSoftmax outputs log-probabilities instead of logits.
Scores scores_of(const PredictCommand& command, const ModelInfo& info) {
  if (!command.logits) return Scores::kProbabilities;
  return info.log_softmax ? Scores::kLogProbabilities : Scores::kLogits;
}

}  // namespace

void run(const PredictCommand& command) {
  if (command.quiet) silence_info();
  const auto device = backend_options(command.device);
  auto model = command.network.empty() ? load_model(command.model) : Model{};
  const Dataset samples(command.images, command.layout);
  if (!command.network.empty())
    model = load_state_dict(command.model, command.network, samples.sample_shape());
  complete_state_dict(samples, command.normalization, command.model, model);
  log_notes(model);
  const std::int64_t classes = plan_of(model.info).classes();
  if (command.top_k > classes) {
    throw UsageError(fmt::format("--top-k {}: expected at most {}, the classes of {}", command.top_k, classes,
                                 command.model));
  }

  PredictionWriter writer(command.format, scores_of(command, model.info), command.top_k,
                          model.info.class_names);
  run_inference({command.model, model, samples, command.batch_size, std::nullopt, command.views}, device,
                [&](std::int64_t, std::span<const float> logits) {
                  const auto size = static_cast<std::size_t>(classes);
                  for (; !logits.empty(); logits = logits.subspan(size)) writer.add(logits.first(size));
                });
  writer.finish();
}

Options options_of(PredictCommand& command) {
  Options rows{model_option(command.model), state_dict_option(command.network)};
  rows.push_back(text({"Data", "IMAGES", "", "IDX file of images, plain or gzip"}, "", command.images));
  std::ranges::move(layout_options(command.layout), std::back_inserter(rows));
  rows.push_back(number<std::int64_t>({"Data", "--batch-size", "N", "number of samples per batch"}, 1,
                                      kMaxCount, command.batch_size));
  rows.push_back(normalize_option(command.normalization));
  rows.push_back(test_views_option(command.views));
  std::ranges::move(device_options(command.device), std::back_inserter(rows));
  rows.push_back(
      number<std::int64_t>({"Output", "--top-k", "N", "number of classes to print per sample, best first"}, 1,
                           kMaxCount, command.top_k));
  rows.push_back(choice<PredictionFormat>(
      {"Output", "--format", "NAME", "CSV with a header, or JSON Lines"},
      {{"csv", PredictionFormat::kCsv}, {"jsonl", PredictionFormat::kJsonl}}, command.format));
  rows.push_back(
      choice<bool>({"Output", "--scores", "NAME",
                    "print probabilities (softmax of the outputs), or the outputs themselves (logits)"},
                   {{"probabilities", false}, {"logits", true}}, command.logits));
  rows.push_back(quiet_option(command.quiet));
  return rows;
}

}  // namespace warpfit
