#include "host/optim/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace warpfit {
namespace {

struct Moment {
  std::int64_t step, epoch, total_steps;
};

double power(double gamma, std::int64_t exponent) { return std::pow(gamma, static_cast<double>(exponent)); }

// Half a period of a cosine, from `start` at part 0 to `end` at part 1.
double anneal(double start, double end, double part) {
  return end + (start - end) * (1 + std::cos(std::numbers::pi * part)) / 2;
}

double anneal(double start, double end, std::int64_t done, std::int64_t length) {
  return anneal(start, end, static_cast<double>(done) / static_cast<double>(length));
}

double rate_of(const Constant&, double base, const Moment&) { return base; }

double rate_of(const StepDecay& decay, double base, const Moment& at) {
  return base * power(decay.gamma, at.epoch / decay.step_size);
}

double rate_of(const MultiStep& decay, double base, const Moment& at) {
  const auto& milestones = decay.milestones;
  return base * power(decay.gamma, std::ranges::upper_bound(milestones, at.epoch) - milestones.begin());
}

double rate_of(const Exponential& decay, double base, const Moment& at) {
  return base * power(decay.gamma, at.epoch);
}

// The remainder keeps the argument of the cosine small, where the cosine is accurate.
double rate_of(const Cosine& cosine, double base, const Moment& at) {
  return anneal(base, cosine.eta_min, at.epoch % (2 * cosine.t_max), cosine.t_max);
}

// Restarts are counted in integers: a logarithm would be rounded to the wrong number exactly at a restart.
double rate_of(const CosineRestarts& cosine, double base, const Moment& at) {
  std::int64_t since = at.epoch;
  std::int64_t length = cosine.t_0;
  if (cosine.t_mult == 1) since %= length;
  for (; since >= length; length *= cosine.t_mult) since -= length;
  return anneal(base, cosine.eta_min, since, length);
}

double rate_of(const LinearDecay& decay, double base, const Moment& at) {
  const double done = static_cast<double>(at.step) / static_cast<double>(at.total_steps);
  return base * (1 + (decay.end_factor - 1) * done);
}

double rate_of(const OneCycle& cycle, double, const Moment& at) {
  const double lowest = cycle.max_rate / cycle.div_factor;
  const auto step = static_cast<double>(at.step);
  const double last = static_cast<double>(at.total_steps) - 1;
  const double peak = cycle.pct_start * static_cast<double>(at.total_steps) - 1;
  if (step == peak) return cycle.max_rate;  // PyTorch divides by 0 if both are 0
  if (step < peak) return anneal(lowest, cycle.max_rate, step / peak);
  return anneal(cycle.max_rate, lowest / cycle.final_div_factor, (step - peak) / (last - peak));
}

}  // namespace

Schedule::Schedule(ScheduleShape shape, double base_rate, std::int64_t warmup_steps,
                   std::int64_t steps_per_epoch, std::int64_t total_steps)
    : shape_(std::move(shape)),
      base_rate_(base_rate),
      warmup_steps_(warmup_steps),
      steps_per_epoch_(steps_per_epoch),
      total_steps_(total_steps) {}

double Schedule::rate(std::int64_t step) const {
  const Moment at{step, step / steps_per_epoch_, total_steps_};
  const double rate = std::visit([&](const auto& shape) { return rate_of(shape, base_rate_, at); }, shape_);
  if (step >= warmup_steps_) return rate;
  return rate * static_cast<double>(step + 1) / static_cast<double>(warmup_steps_);
}

}  // namespace warpfit
