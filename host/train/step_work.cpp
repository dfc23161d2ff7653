#include "host/train/step_work.hpp"

#include <algorithm>

namespace warpfit {
namespace {

constexpr double kFloat = sizeof(float);

// Of a product that reads and writes these three.
Work product(double n, double k, double m) {
  return {.flop = 2 * n * k * m, .bytes = kFloat * (n * k + k * m + n * m)};
}

void add(Work& to, const Work& more) {
  to.flop += more.flop;
  to.bytes += more.bytes;
}

Work& of(std::array<Work, kPhases>& work, Phase phase) { return work[static_cast<std::size_t>(phase)]; }

// The gradient, the parameter that it changes, and the moments, which are read and written.
double update_bytes(const NetworkSpec& network, const Optimizer& optimizer) {
  const auto kept = moments_of(optimizer);
  const auto moments = static_cast<double>(std::ranges::count(kept, true));
  return kFloat * static_cast<double>(network.parameters()) * (3 + 2 * moments);
}

}  // namespace

std::array<Work, kPhases> step_work(const NetworkSpec& network, std::int64_t rows, const Optimizer& optimizer,
                                    bool folded) {
  std::array<Work, kPhases> work;
  const auto n = static_cast<double>(rows);
  of(work, Phase::kLoad).bytes = n * (static_cast<double>(network.inputs()) * (1 + kFloat) + 2);
  of(work, Phase::kLoss).bytes = n * (static_cast<double>(network.classes()) * 2 * kFloat + 1);
  for (std::size_t l = 0; l < network.layers(); ++l) {
    const auto k = static_cast<double>(network.widths[l]);
    const auto m = static_cast<double>(network.widths[l + 1]);
    add(of(work, Phase::kForward), product(n, k, m));
    of(work, Phase::kForward).bytes += kFloat * m;
    if (l > 0) {
      add(of(work, Phase::kBackward), product(n, m, k));
      of(work, Phase::kBackward).bytes += kFloat * n * k;  // where ReLU let nothing through
    }
    auto& weights = of(work, folded ? Phase::kUpdate : Phase::kBackward);
    add(weights, product(k, n, m));
    weights.bytes += kFloat * m;
    if (folded) weights.bytes += kFloat * (k * m + m);  // the parameters are read as well
  }
  if (!folded) of(work, Phase::kUpdate).bytes += update_bytes(network, optimizer);
  return work;
}

}  // namespace warpfit
