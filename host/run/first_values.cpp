#include "host/run/first_values.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "host/model/initializer.hpp"
#include "host/model/warm_start.hpp"
#include "host/report/log.hpp"
#include "host/run/whitening.hpp"

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

}  // namespace

NetworkValues first_values(const RunOptions& options, const ModelInfo& model, const NetworkPlan& plan,
                           const Subset& training_set, TorchGenerator& generator, bool resumes) {
  if (resumes) return {std::vector<float>(plan.floats), std::vector<float>(plan.state_floats)};
  NetworkValues values{initial_parameters(plan, generator), initial_state(plan)};
  whiten_first_layer(plan, training_set, model.normalization, values.parameters);
  if (!options.init_from.empty()) warm_start(options.init_from, model, values);
  return values;
}

}  // namespace warpfit
