#include "host/cli/eval_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/base/error.hpp"
#include "host/cli/common_options.hpp"
#include "host/cli/device_options.hpp"
#include "host/cli/input_options.hpp"
#include "host/cli/option_rows.hpp"
#include "host/model/state_dict_layers.hpp"
#include "host/report/console.hpp"
#include "host/report/evaluation_text.hpp"
#include "host/report/log.hpp"
#include "host/run/inference.hpp"

namespace warpfit {
void run(const EvalCommand& command) {
  if (command.quiet) silence_info();
  const auto device = backend_options(command.device);
  auto model = command.network.empty() ? load_model(command.model) : Model{};
  const auto paths = find_test_set(command.data.folder, command.data.files);
  const Dataset samples(paths.test_images, paths.test_labels, command.data.layout);
  if (!command.network.empty())
    model = load_state_dict(command.model, command.network, samples.sample_shape());
  complete_state_dict(samples, command.normalization, command.model, model);
  log_notes(model);
  const std::int64_t classes = plan_of(model.info).classes();
  samples.check_labels_below(classes);

  Confusion confusion(classes);
  const auto count = [&](std::int64_t first, std::span<const float> logits) {
    for (; !logits.empty(); logits = logits.subspan(static_cast<std::size_t>(classes)), ++first) {
      const auto row = logits.first(static_cast<std::size_t>(classes));
      confusion.add(samples.labels()[static_cast<std::size_t>(first)],
                    std::ranges::max_element(row) - row.begin());
    }
  };
  // NLL of log-probabilities equals their cross-entropy: one loss function for both kinds of model.
  const auto metrics = run_inference(
      {command.model, model, samples, command.batch_size, Loss{}, command.views}, device, count);
  const double loss = result_of(metrics, samples.size()).loss;
  if (!std::isfinite(loss)) {
    throw ModelError(fmt::format("{}: its loss on {} is {}, expected a finite number", command.model,
                                 samples.images_path(), loss));
  }
  const EvaluationFindings findings{loss, command.batch_size, confusion, model.info.class_names};
  print(command.json ? evaluation_json(findings) : evaluation_text(findings));
}

Options options_of(EvalCommand& command) {
  Options rows{model_option(command.model), state_dict_option(command.network)};
  std::ranges::move(test_data_options(command.data), std::back_inserter(rows));
  rows.push_back(number<std::int64_t>({"Data", "--batch-size", "N",
                                       "number of samples per batch; the loss is the mean over batches, so "
                                       "use the batch size of training to compare"},
                                      1, kMaxCount, command.batch_size));
  rows.push_back(normalize_option(command.normalization));
  rows.push_back(test_views_option(command.views));
  std::ranges::move(device_options(command.device), std::back_inserter(rows));
  rows.push_back(on_off({"Output", "--json", "", "print the results as one JSON object"}, command.json));
  rows.push_back(quiet_option(command.quiet));
  return rows;
}

}  // namespace warpfit
