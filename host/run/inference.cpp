#include "host/run/inference.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "host/base/error.hpp"
#include "host/base/terminal_text.hpp"
#include "host/report/log.hpp"
#include "host/run/make_backend.hpp"
#include "host/stream/pixel_sample.hpp"

namespace warpfit {
namespace {

// Layers of images need the height and width that they were trained on; others only the number of values.
void check_sample_shape(const Inference& inference, const NetworkPlan& plan) {
  const auto& samples = inference.samples;
  const auto shape = shape_of(samples.sample_shape());
  const bool flattens = plan.sample.is_vector() || std::holds_alternative<Flatten>(plan.nodes.front().layer);
  if (plan.inputs() == samples.sample_size() && (flattens || shape == plan.sample)) return;
  if (plan.inputs() == samples.sample_size()) {
    throw UsageError(fmt::format("{}: was trained on images of {}, but the samples of {} are {}",
                                 inference.path, text_of(plan.sample), samples.images_path(),
                                 text_of(shape)));
  }
  throw UsageError(fmt::format("{}: {} inputs ({}), but the samples of {} have {} values ({})",
                               inference.path, plan.inputs(), inference.model.info.network.text(),
                               samples.images_path(), samples.sample_size(),
                               fmt::join(samples.sample_shape(), "x")));
}

// Empty if the pixels are like those that the model was trained on. A mean farther off than one standard
// deviation, or a standard deviation four times as high or low, hardly comes from other images of the kind,
// but from inverted ones, or from pixels of 0 to 1 instead of 0 to 255.
std::string pixel_warning(const Inference& inference) {
  constexpr double kMaxRatio = 4;
  const auto& trained = inference.model.info.pixels;
  if (!trained) return "";
  const auto found = sampled_pixel_statistics(inference.samples);
  const auto differs = std::abs(found.mean - trained->mean) > trained->deviation;
  const auto scaled =
      found.deviation * kMaxRatio < trained->deviation || trained->deviation * kMaxRatio < found.deviation;
  if (!differs && !scaled) return "";
  const auto is_inverted = std::abs(1 - found.mean - trained->mean) < std::abs(found.mean - trained->mean);
  return fmt::format(
      "{}: the pixels have a mean of {:.3f} and a standard deviation of {:.3f} (of 1), but {} was trained on "
      "a mean of "
      "{:.3f} and a standard deviation of {:.3f}; {}",
      inference.samples.images_path(), found.mean, found.deviation, inference.path, trained->mean,
      trained->deviation,
      is_inverted ? "are black and white inverted?" : "are the pixels scaled differently?");
}

// NaN has no defined order, and JSON cannot represent it.
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
  check_sample_shape(inference, plan);
  const auto& [path, model, samples, batch_size, loss, view_options] = inference;
  const auto views = test_views(view_options, model.info.normalization, plan.sample);
  const auto backend = make_backend(device);
  log_info(fmt::format("device: {}", backend->description()));
  const auto labels = samples.labels_path();
  log_info(fmt::format("data: {} samples of {} from {}{}{}", samples.size(),
                       fmt::join(samples.sample_shape(), "x"), samples.images_path(),
                       labels.empty() ? "" : " and ", labels));
  constexpr std::size_t kMaxNetwork = 200;
  log_info(fmt::format("model: {}, {} parameters", shorten(model.info.network.text(), kMaxNetwork),
                       plan.parameters()));
  if (const auto text = pixel_warning(inference); !text.empty()) log_warning(text);
  const Network network(*backend, plan, model.parameters, model.state);
  return Predictor(*backend, network, loss, samples, batch_size, views)
      .run([&](std::int64_t first, std::span<const float> logits) {
        check_finite(inference, plan.classes(), first, logits);
        take(first, logits);
      });
}

}  // namespace warpfit
