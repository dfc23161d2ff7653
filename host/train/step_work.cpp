#include "host/train/step_work.hpp"

#include <algorithm>

namespace warpfit {
namespace {

constexpr double kFloat = sizeof(float);

Work& of(std::array<Work, kPhases>& work, Phase phase) { return work[static_cast<std::size_t>(phase)]; }

// Bytes of the gradient, the parameter that it changes, and the moments, which are read and written.
double update_bytes(double parameters, const Optimizer& optimizer) {
  const auto kept = moments_of(optimizer);
  const auto moments = static_cast<double>(std::ranges::count(kept, true));
  return kFloat * parameters * (3 + 2 * moments);
}

// Each iteration has three matrix products and three element-wise passes. Four element-wise passes remain:
// direction, norm, normalization and the update of the parameters.
Work muon_work(const Muon& muon, const MuonMatrix& matrix) {
  const auto rows = static_cast<double>(std::min(matrix.rows, matrix.cols));
  const auto cols = static_cast<double>(std::max(matrix.rows, matrix.cols));
  const double iterations = muon.steps;
  const double whole = rows * cols;
  const double square = rows * rows;
  return {.flop = iterations * 2 * square * (2 * cols + rows),
          .bytes = kFloat * (iterations * (6 * whole + 9 * square) + 10 * whole)};
}

Work update_work(const NetworkPlan& network, const ParameterGroups& groups) {
  Work work;
  if (groups.muon) {
    for (const auto& matrix : groups.muon->matrices) work += muon_work(groups.muon->muon, matrix);
  }
  for (const auto& group : groups.groups) {
    double parameters = group.ranges.empty() ? static_cast<double>(network.parameters()) : 0;
    for (const auto& range : group.ranges) parameters += static_cast<double>(range.size);
    work.bytes += update_bytes(parameters, group.optimizer);
  }
  return work;
}

}  // namespace

std::array<Work, kPhases> step_work(const NetworkPlan& network, std::int64_t rows,
                                    const ParameterGroups& groups, bool fused_update) {
  std::array<Work, kPhases> work;
  const auto n = static_cast<double>(rows);
  const auto parameters = static_cast<double>(network.parameters());
  of(work, Phase::kLoad).bytes = n * (static_cast<double>(network.inputs()) * (1 + kFloat) + 2);
  of(work, Phase::kLoss).bytes = n * (static_cast<double>(network.classes()) * 2 * kFloat + 1);
  bool is_above_parameters = false;  // otherwise no gradient of the input is needed
  for (const auto& node : network.nodes) {
    const auto costs = std::visit([&](const auto& layer) { return cost(layer, node.in, rows); }, node.layer);
    of(work, Phase::kForward) += costs.forward;
    if (is_above_parameters) of(work, Phase::kBackward) += costs.input_gradient;
    of(work, fused_update ? Phase::kUpdate : Phase::kBackward) += costs.parameter_gradients;
    is_above_parameters = is_above_parameters || node.tensors > 0;
  }
  if (fused_update) of(work, Phase::kUpdate).bytes += kFloat * parameters;  // the weights are also read
  if (!fused_update) of(work, Phase::kUpdate) += update_work(network, groups);
  return work;
}

}  // namespace warpfit
