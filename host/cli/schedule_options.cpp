#include "host/cli/schedule_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>

#include "host/base/split.hpp"
#include "host/cli/kinds.hpp"
#include "host/cli/option_rows.hpp"

namespace warpfit {
namespace {

constexpr std::string_view kGroup = "Schedule";
constexpr double kMaxDouble = std::numeric_limits<double>::max();

const Kinds<ScheduleKind>& kinds() {
  static const Kinds<ScheduleKind> kinds{"--schedule",
                                         {{"constant", ScheduleKind::kConstant},
                                          {"step", ScheduleKind::kStep},
                                          {"multistep", ScheduleKind::kMultistep},
                                          {"exponential", ScheduleKind::kExponential},
                                          {"cosine", ScheduleKind::kCosine},
                                          {"cosine-restarts", ScheduleKind::kCosineRestarts},
                                          {"linear", ScheduleKind::kLinear},
                                          {"one-cycle", ScheduleKind::kOneCycle}}};
  return kinds;
}

Option milestones_option(std::vector<std::int64_t>& field) {
  constexpr std::string_view kFlag = "--milestones";
  const auto set = [&field, kFlag](std::string_view given) {
    std::vector<std::int64_t> milestones;
    for (const auto part : split(given, ',')) {
      const auto milestone = parse_number<std::int64_t>(part);
      const std::int64_t last = milestones.empty() ? 0 : milestones.back();
      if (!milestone || *milestone <= last) {
        throw UsageError(
            fmt::format("{} {}: expected increasing epochs, 1 or more, as in 30,80", kFlag, given));
      }
      milestones.push_back(*milestone);
    }
    field = std::move(milestones);
  };
  return {.group = kGroup,
          .flag = kFlag,
          .value = "A,B,...",
          .help = "multistep: epochs after which the learning rate decays",
          .range = "1 or more, increasing",
          .get = [&field] { return fmt::format("{}", fmt::join(field, ",")); },
          .set = set};
}

Option count(std::string_view flag, std::string_view help, std::string_view otherwise,
             std::optional<std::int64_t>& field) {
  return number<std::int64_t>({kGroup, flag, "N", help}, 1, kMaxCount, field, std::string(otherwise));
}

Option real(std::string_view flag, std::string_view help, double highest, std::string_view otherwise,
            std::optional<double>& field) {
  return number<double>({kGroup, flag, "X", help}, 0, highest, field, std::string(otherwise));
}

void check(const ScheduleFlags& flags) {
  using enum ScheduleKind;
  const auto only = [&](bool given, std::string_view flag, const std::vector<ScheduleKind>& having) {
    kinds().expect_having(flags.kind, given, flag, having);
  };
  only(flags.step_size.has_value(), "--step-size", {kStep});
  only(flags.gamma.has_value(), "--gamma", {kStep, kMultistep, kExponential});
  only(!flags.milestones.empty(), "--milestones", {kMultistep});
  only(flags.t_max.has_value(), "--t-max", {kCosine});
  only(flags.t_0.has_value(), "--t-0", {kCosineRestarts});
  only(flags.t_mult.has_value(), "--t-mult", {kCosineRestarts});
  only(flags.eta_min.has_value(), "--eta-min", {kCosine, kCosineRestarts});
  only(flags.end_factor.has_value(), "--end-factor", {kLinear});
  only(flags.max_rate.has_value(), "--max-lr", {kOneCycle});
  only(flags.pct_start.has_value(), "--pct-start", {kOneCycle});

  const auto needs = [&](ScheduleKind kind, bool given, std::string_view flag) {
    if (flags.kind != kind || given) return;
    throw UsageError(fmt::format("{} {}: requires {}", kinds().flag, kinds().name_of(kind), flag));
  };
  needs(kMultistep, !flags.milestones.empty(), "--milestones");
  needs(kCosineRestarts, flags.t_0.has_value(), "--t-0");
  needs(kOneCycle, flags.max_rate.has_value(), "--max-lr");
}

ScheduleShape shape_of(const ScheduleFlags& flags, std::int64_t epochs) {
  const double eta_min = flags.eta_min.value_or(0);
  switch (flags.kind) {
    case ScheduleKind::kStep:
      return StepDecay{flags.step_size.value_or(1), flags.gamma.value_or(0.1)};
    case ScheduleKind::kMultistep:
      return MultiStep{flags.milestones, flags.gamma.value_or(0.1)};
    case ScheduleKind::kExponential:
      return Exponential{flags.gamma.value_or(0.9)};
    case ScheduleKind::kCosine:
      return Cosine{flags.t_max.value_or(epochs), eta_min};
    case ScheduleKind::kCosineRestarts:
      return CosineRestarts{*flags.t_0, flags.t_mult.value_or(1), eta_min};
    case ScheduleKind::kLinear:
      return LinearDecay{flags.end_factor.value_or(0)};
    case ScheduleKind::kOneCycle:
      return OneCycle{.max_rate = *flags.max_rate, .pct_start = flags.pct_start.value_or(0.3)};
    default:
      return Constant{};
  }
}

}  // namespace

bool spans_all_epochs(const ScheduleFlags& flags) {
  return flags.kind == ScheduleKind::kOneCycle || flags.kind == ScheduleKind::kLinear ||
         (flags.kind == ScheduleKind::kCosine && !flags.t_max);
}

Options schedule_options(ScheduleFlags& flags) {
  Options rows;
  rows.push_back(choice<ScheduleKind>(
      {kGroup, kinds().flag, "NAME", "learning rate schedule, as in torch.optim.lr_scheduler"}, kinds().words,
      flags.kind));
  rows.push_back(
      count("--step-size", "step: epochs between two decays of the learning rate", "1", flags.step_size));
  rows.push_back(real("--gamma", "step, multistep, exponential: factor of each decay of the learning rate",
                      kMaxDouble, "0.1; exponential 0.9", flags.gamma));
  rows.push_back(milestones_option(flags.milestones));
  rows.push_back(count("--t-max", "cosine: epochs until the learning rate reaches its minimum",
                       "the run's epochs", flags.t_max));
  rows.push_back(count("--t-0", "cosine-restarts: epochs until the first restart", "", flags.t_0));
  rows.push_back(count("--t-mult", "cosine-restarts: factor by which the period grows after each restart",
                       "1", flags.t_mult));
  rows.push_back(
      real("--eta-min", "cosine, cosine-restarts: minimum learning rate", kMaxDouble, "0", flags.eta_min));
  rows.push_back(real("--end-factor",
                      "linear: learning rate at the end of the run, as a fraction of that at its start", 1,
                      "0", flags.end_factor));
  rows.push_back(
      real("--max-lr", "one-cycle: maximum learning rate, instead of --lr", kMaxDouble, "", flags.max_rate));
  rows.push_back(real("--pct-start", "one-cycle: fraction of the run in which the learning rate increases", 1,
                      "0.3", flags.pct_start));
  rows.push_back(number<std::int64_t>(
      {kGroup, "--warmup", "N", "batches of linear warm-up of the learning rate at the start of the run"}, 0,
      kMaxCount, flags.warmup));
  return rows;
}

ScheduleShape schedule_of(const ScheduleFlags& flags, std::int64_t epochs) {
  check(flags);
  return shape_of(flags, epochs);
}

}  // namespace warpfit
