// The optimizers' constants and state. Names, defaults and formulas are PyTorch's
// (https://pytorch.org/docs/stable/optim.html).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "host/backend/views.hpp"

namespace warpfit {

constexpr std::size_t kMaxMoments = 3;

/// Whether an optimizer keeps a moment; kSometimes: depending on its constants.
enum class MomentUse { kNever, kSometimes, kAlways };
using MomentsKept = std::array<MomentUse, kMaxMoments>;

// Each optimizer's kMoments says which moments it keeps, and for a moment k with kSometimes, sometimes(k)
// says whether it is kept.

/// With g the gradient + weight_decay * w: m = g at the first step, then momentum * m + (1 - dampening) * g;
/// w -= rate * (nesterov ? g + momentum * m : m). Without momentum, m is g and no state is kept.
struct Sgd {
  float momentum = 0, dampening = 0, weight_decay = 0;
  bool nesterov = false;

  static constexpr MomentsKept kMoments{MomentUse::kSometimes, MomentUse::kNever, MomentUse::kNever};
  [[nodiscard]] bool sometimes(std::size_t) const { return momentum != 0; }
};

/// m and v are running means of g and g^2; at step t w -= rate * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t))
/// + eps). Weight decay is added to g or, if decoupled (AdamW), first subtracts rate * weight_decay * w. With
/// amsgrad the largest v so far is used.
struct Adam {
  double beta1 = 0.9, beta2 = 0.999;
  float eps = 1e-8F, weight_decay = 0;
  bool decoupled = false, amsgrad = false;

  static constexpr MomentsKept kMoments{MomentUse::kAlways, MomentUse::kAlways, MomentUse::kSometimes};
  [[nodiscard]] bool sometimes(std::size_t) const { return amsgrad; }
};

/// v is a running mean of g^2, minus the square of the running mean of g if centered; d = g / (sqrt(v) +
/// eps); with momentum d is replaced by m = momentum * m + d; w -= rate * d.
struct Rmsprop {
  float alpha = 0.99F, eps = 1e-8F, weight_decay = 0, momentum = 0;
  bool centered = false;

  static constexpr MomentsKept kMoments{MomentUse::kSometimes, MomentUse::kAlways, MomentUse::kSometimes};
  [[nodiscard]] bool sometimes(std::size_t moment) const { return moment == 0 ? momentum != 0 : centered; }
};

/// v is the sum of all g^2; w -= rate * g / (sqrt(v) + eps).
struct Adagrad {
  float eps = 1e-10F, weight_decay = 0;

  static constexpr MomentsKept kMoments{MomentUse::kNever, MomentUse::kAlways, MomentUse::kNever};
  [[nodiscard]] bool sometimes(std::size_t) const { return false; }
};

/// v is a running mean of g^2, u one of d^2, with d = sqrt(u + eps) / sqrt(v + eps) * g; w -= rate * d.
struct Adadelta {
  float rho = 0.9F, eps = 1e-6F, weight_decay = 0;

  static constexpr MomentsKept kMoments{MomentUse::kNever, MomentUse::kAlways, MomentUse::kAlways};
  [[nodiscard]] bool sometimes(std::size_t) const { return false; }
};

/// m is a running mean of g, v = max(beta2 * v, |g| + eps); at step t w -= rate / (1 - beta1^t) * m / v.
struct Adamax {
  double beta1 = 0.9, beta2 = 0.999;
  float eps = 1e-8F, weight_decay = 0;

  static constexpr MomentsKept kMoments{MomentUse::kAlways, MomentUse::kAlways, MomentUse::kNever};
  [[nodiscard]] bool sometimes(std::size_t) const { return false; }
};

/// Adam with Nesterov's momentum: mu_t = beta1 * (1 - 0.96^(t * momentum_decay) / 2), p_t their product up to
/// t; w -= rate * ((1 - mu_t) / (1 - p_t) * g + mu_(t+1) / (1 - p_(t+1)) * m) / (sqrt(v / (1 - beta2^t)) +
/// eps).
struct Nadam {
  double beta1 = 0.9, beta2 = 0.999;
  float eps = 1e-8F, weight_decay = 0;
  double momentum_decay = 0.004;
  bool decoupled = false;

  static constexpr MomentsKept kMoments{MomentUse::kAlways, MomentUse::kAlways, MomentUse::kNever};
  [[nodiscard]] bool sometimes(std::size_t) const { return false; }
};

/// Adam whose second moment is used only once its variance can be estimated, then with a rectification
/// factor.
struct Radam {
  double beta1 = 0.9, beta2 = 0.999;
  float eps = 1e-8F, weight_decay = 0;
  bool decoupled = false;

  static constexpr MomentsKept kMoments{MomentUse::kAlways, MomentUse::kAlways, MomentUse::kNever};
  [[nodiscard]] bool sometimes(std::size_t) const { return false; }
};

/// Each parameter has its own step size, initially the rate: multiplied by eta_plus if g keeps its sign, by
/// eta_minus if the sign changes, and then g counts as 0; w -= step * sign(g).
struct Rprop {
  float eta_minus = 0.5F, eta_plus = 1.2F, smallest = 1e-6F, largest = 50;

  static constexpr MomentsKept kMoments{MomentUse::kAlways, MomentUse::kAlways, MomentUse::kNever};
  [[nodiscard]] bool sometimes(std::size_t) const { return false; }
};

/// w = (1 - lambd * eta) * w - eta * g, where eta = rate / (1 + lambd * rate * t)^alpha after step t; the
/// third moment is the mean of w from step t0 on.
struct Asgd {
  double lambd = 1e-4, alpha = 0.75, t0 = 1e6;
  float weight_decay = 0;

  static constexpr MomentsKept kMoments{MomentUse::kNever, MomentUse::kNever, MomentUse::kAlways};
  [[nodiscard]] bool sometimes(std::size_t) const { return false; }
};

using Optimizer = std::variant<Sgd, Adam, Rmsprop, Adagrad, Adadelta, Adamax, Nadam, Radam, Rprop, Asgd>;

/// Which of the three moments an optimizer keeps: m (Rmsprop: the momentum; Rprop: the last g), v (Rprop: the
/// step size), and a third one: the largest v, (Rmsprop) the mean of g, (Adadelta) u or (Asgd) the mean of w.
[[nodiscard]] std::array<bool, kMaxMoments> moments_of(const Optimizer& optimizer);

/// Returns the optimizer with weight_decay = 0.
[[nodiscard]] Optimizer without_decay(Optimizer optimizer);
/// Whether weight_decay is not 0; asgd's lambd is not weight decay.
[[nodiscard]] bool has_decay(const Optimizer& optimizer);

/// Whether it is SGD of the form w -= rate * gradient, which can be fused into the weight-gradient GEMMs.
/// Inline because the CUDA backend is a separate library and calls it, too.
[[nodiscard]] inline bool is_plain_sgd(const Optimizer& optimizer) {
  const auto* sgd = std::get_if<Sgd>(&optimizer);
  return sgd != nullptr && sgd->momentum == 0 && sgd->weight_decay == 0;
}

/// Stored in the backend's memory.
struct OptimizerProgress {
  std::int64_t steps = 0;  ///< steps taken so far
  unsigned arrived = 0;    ///< for the backend's internal use
  float scalar = 0;        ///< a value that an optimizer keeps for all parameters together
};

/// Contiguous parameters in a flat buffer; first and size in floats.
struct ParameterRange {
  std::int64_t first = 0, size = 0;
};

/// The buffers that an update reads and writes. All have the same size; moments that moments_of() says are
/// not kept are empty. Moments and progress are 0 before the first step.
struct OptimizerViews {
  Vector parameters;
  ConstVector gradients;
  std::array<Vector, kMaxMoments> moments;
  OptimizerProgress* progress = nullptr;  ///< may be null for plain SGD of all parameters
  /// Disjoint ranges of the parameters to update; if empty, all parameters are updated.
  std::span<const ParameterRange> ranges = {};
  float rate_factor = 1;  ///< multiplies the run's learning rate; must be 1 if ranges is empty
};

}  // namespace warpfit
