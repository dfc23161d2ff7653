#include "host/run/inference.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "host/base/error.hpp"
#include "host/base/terminal_text.hpp"
#include "host/report/log.hpp"
#include "host/run/make_backend.hpp"

namespace warpfit {
namespace {

void check_sample_size(const Inference& inference, const NetworkPlan& plan) {
  const auto& samples = inference.samples;
  if (plan.inputs() == samples.sample_size()) return;
  throw UsageError(fmt::format("{}: {} inputs ({}), but the samples of {} have {} values ({})",
                               inference.path, plan.inputs(), inference.model.info.network.text(),
                               samples.images_path(), samples.sample_size(),
                               fmt::join(samples.sample_shape(), "x")));
}

// The order of what is no number means nothing, and JSON cannot say it.
void check_finite(const Inference& inference, std::int64_t classes, std::int64_t first,
                  std::span<const float> logits) {
  const auto bad = std::ranges::find_if_not(logits, [](float logit) { return std::isfinite(logit); });
  if (bad == logits.end()) return;
  const std::int64_t element = bad - logits.begin();
  throw ModelError(fmt::format(
      "{}: its output {} for sample {} of {} is {}, expected a finite number; use a "
      "model whose training did not diverge",
      inference.path, element % classes, first + element / classes, inference.samples.images_path(), *bad));
}

}  // namespace

void log_notes(const Model& model) {
  for (const auto& note : model.notes) log_info(note);
  for (const auto& warning : model.warnings) log_warning(warning);
}

Metrics run_inference(const Inference& inference, const BackendOptions& device, const Predictor::Take& take) {
  const auto plan = plan_of(inference.model.info);
  check_sample_size(inference, plan);
  const auto& [path, model, samples, batch_size, loss] = inference;
  const auto backend = make_backend(device);
  log_info(fmt::format("device: {}", backend->description()));
  const auto labels = samples.labels_path();
  log_info(fmt::format("data: {} samples of {} from {}{}{}", samples.size(),
                       fmt::join(samples.sample_shape(), "x"), samples.images_path(),
                       labels.empty() ? "" : " and ", labels));
  constexpr std::size_t kMaxNetwork = 200;
  log_info(fmt::format("model: {}, {} parameters", shorten(model.info.network.text(), kMaxNetwork),
                       plan.parameters()));
  const Network network(*backend, plan, model.parameters);
  return Predictor(*backend, network, loss, samples, batch_size)
      .run([&](std::int64_t first, std::span<const float> logits) {
        check_finite(inference, plan.classes(), first, logits);
        take(first, logits);
      });
}

}  // namespace warpfit
