// Learning rates as functions of the step. Names, defaults and formulas are PyTorch's
// (torch.optim.lr_scheduler, https://pytorch.org/docs/stable/optim.html), in closed form: no state is kept
// from step to step.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

namespace warpfit {

/// b, where b is the base rate; below, t is the number of completed epochs.
struct Constant {};

/// StepLR: b * gamma^floor(t / step_size).
struct StepDecay {
  std::int64_t step_size = 1;  ///< epochs, 1 or more
  double gamma = 0.1;
};

/// MultiStepLR: b * gamma^(number of milestones that t has reached).
struct MultiStep {
  std::vector<std::int64_t> milestones;  ///< epochs, increasing
  double gamma = 0.1;
};

/// ExponentialLR: b * gamma^t.
struct Exponential {
  double gamma = 0.9;  ///< PyTorch has no default
};

/// CosineAnnealingLR: eta_min + (b - eta_min) * (1 + cos(pi * t / t_max)) / 2. It rises again after t_max.
struct Cosine {
  std::int64_t t_max = 1;  ///< epochs, 1 or more
  double eta_min = 0;
};

/// CosineAnnealingWarmRestarts: half a cosine from b to eta_min over t_0 epochs, then another one that is
/// t_mult times as long, and so on.
struct CosineRestarts {
  std::int64_t t_0 = 1;     ///< epochs, 1 or more
  std::int64_t t_mult = 1;  ///< 1 or more
  double eta_min = 0;
};

/// LinearLR with start_factor = 1 over the whole run, by steps instead of epochs: b * (1 + (end_factor - 1) *
/// step / steps).
struct LinearDecay {
  double end_factor = 0;  ///< 0 to 1; PyTorch's default is 1
};

/// OneCycleLR with cosine annealing, by steps instead of epochs: from max_rate / div_factor up to max_rate at
/// step pct_start * steps - 1, then down to max_rate / div_factor / final_div_factor at the last step of the
/// run. The base rate is not used. Momentum is constant, as with PyTorch's cycle_momentum=False.
struct OneCycle {
  double max_rate = 0;
  double pct_start = 0.3;  ///< 0 to 1
  double div_factor = 25, final_div_factor = 1e4;
};

using ScheduleShape =
    std::variant<Constant, StepDecay, MultiStep, Exponential, Cosine, CosineRestarts, LinearDecay, OneCycle>;

class Schedule {
 public:
  /// For a run of `total_steps` batches with `steps_per_epoch` (1 or more) batches per epoch. Over the first
  /// `warmup_steps` the shape's rate is multiplied by 1 / warmup_steps, 2 / warmup_steps, ... 1: LinearLR
  /// with start_factor = 1 / warmup_steps and total_iters = warmup_steps - 1, stepped after each batch.
  Schedule(ScheduleShape shape, double base_rate, std::int64_t warmup_steps, std::int64_t steps_per_epoch,
           std::int64_t total_steps);

  /// The learning rate of a step of the run, from 0 to total_steps - 1.
  [[nodiscard]] double rate(std::int64_t step) const;

 private:
  ScheduleShape shape_;
  double base_rate_;
  std::int64_t warmup_steps_, steps_per_epoch_, total_steps_;
};

}  // namespace warpfit
