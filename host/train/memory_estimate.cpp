#include "host/train/memory_estimate.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "host/backend/muon_formula.hpp"
#include "host/train/operation_plan.hpp"
#include "host/train/parameter_groups.hpp"

namespace warpfit {
namespace {

// The program itself, its libraries, and the slots that batches are read into.
constexpr std::uint64_t kProgram = std::uint64_t{24} << 20;

// The working memory of Muon's update.
std::uint64_t muon_floats(const NetworkPlan& network, const TrainOptions& options) {
  const auto groups = parameter_groups(network, options);
  return groups.muon ? MuonScratch::floats(groups.muon->matrices) : 0;
}

std::uint64_t copies_of_parameters(const NetworkPlan& network, const TrainOptions& options, bool on_cpu,
                                   bool saves) {
  auto kept = moments_of(options.optimizer);
  if (options.muon) kept[0] = true;
  const auto moments = static_cast<std::uint64_t>(std::ranges::count(kept, true));
  // Accumulated gradients and averages of the parameters.
  const std::uint64_t more =
      (options.accumulate > 1 ? 1 : 0) + (options.ema > 0 || options.swa_start > 0 ? 1 : 0);
  const std::uint64_t gradients = is_update_fused(options, network) ? 0 : 1;
  const std::uint64_t trained = on_cpu ? 1 + moments + gradients + more : 0;
  const std::uint64_t initial = on_cpu ? 2 : 1;  // drawn parameters; on the CPU also their copy
  const std::uint64_t saved = saves ? 1 + moments + more : 1;
  return std::max(initial, trained + saved);
}

// The working memory of the operations that are prepared for each batch size.
std::uint64_t operation_bytes(const OperationPlan& plan, const TrainOptions& options,
                              const BatchSizes& batches, const Backend& backend) {
  std::uint64_t bytes = 0;
  for (const auto& operation : plan.operations) {
    // Batches that make no update have a step of their own.
    const std::uint64_t steps = options.accumulate > 1 ? 2 : 1;
    for (const auto rows : batches.training) bytes += steps * backend.host_bytes(operation, rows, true);
    for (const auto rows : batches.evaluation) bytes += backend.host_bytes(operation, rows, false);
  }
  return bytes;
}

}  // namespace

std::uint64_t estimated_memory(const NetworkPlan& network, const TrainOptions& options,
                               const BatchSizes& batches, const Backend& backend, bool saves) {
  const bool on_cpu = backend.is_host();
  const auto parameters = static_cast<std::uint64_t>(network.parameters());
  // Each activation and its gradient, as in Workspace; the input has no gradient.
  const auto plan = plan_operations(network, 0, options.sync_batch_norm);
  std::int64_t per_sample = 0;
  for (std::size_t i = 0; i < plan.widths.size(); ++i) {
    const int buffers = (plan.memory[i] == i ? 1 : 0) + (i > 0 && plan.gradient_memory[i] == i ? 1 : 0);
    per_sample += buffers * plan.widths[i];
  }
  const auto max_batch_size =
      std::max(std::ranges::max(batches.training), std::ranges::max(batches.evaluation));
  const auto values = static_cast<std::uint64_t>(max_batch_size * per_sample);
  const auto numbers = parameters * copies_of_parameters(network, options, on_cpu, saves) +
                       (on_cpu ? values + muon_floats(network, options) : 0);
  return kProgram + numbers * sizeof(float) + operation_bytes(plan, options, batches, backend);
}

std::string memory_warning(std::uint64_t needed, std::uint64_t available) {
  if (needed <= available) return "";
  constexpr double kGigabyte = 1e9;
  return fmt::format(
      "this run needs about {:.2f} GB of memory, but only {:.2f} GB are available: the system may end "
      "it; try a smaller --network or --batch-size",
      static_cast<double>(needed) / kGigabyte, static_cast<double>(available) / kGigabyte);
}

}  // namespace warpfit
