#include "host/cli/optimizer_options.hpp"

#include <fmt/core.h>

#include <limits>
#include <stdexcept>

#include "host/cli/kinds.hpp"
#include "host/cli/option_rows.hpp"
#include "host/cli/parameter_options.hpp"

namespace warpfit {
namespace {

constexpr std::string_view kGroup = "Optimizer";
constexpr double kMaxDouble = std::numeric_limits<double>::max();
constexpr std::string_view kRates =
    "0.001; adamax and nadam 0.002, rmsprop, adagrad, rprop and asgd 0.01, adadelta 1";

const Kinds<OptimizerKind>& kinds() {
  static const Kinds<OptimizerKind> kinds{"--optimizer",
                                          {{"sgd", OptimizerKind::kSgd},
                                           {"adam", OptimizerKind::kAdam},
                                           {"adamw", OptimizerKind::kAdamw},
                                           {"rmsprop", OptimizerKind::kRmsprop},
                                           {"adagrad", OptimizerKind::kAdagrad},
                                           {"adadelta", OptimizerKind::kAdadelta},
                                           {"adamax", OptimizerKind::kAdamax},
                                           {"nadam", OptimizerKind::kNadam},
                                           {"radam", OptimizerKind::kRadam},
                                           {"rprop", OptimizerKind::kRprop},
                                           {"asgd", OptimizerKind::kAsgd},
                                           {"muon", OptimizerKind::kMuon}}};
  return kinds;
}

Option constant(std::string_view flag, std::string_view help, double highest, std::string_view otherwise,
                std::optional<double>& field) {
  return number<double>({kGroup, flag, "X", help}, 0, highest, field, std::string(otherwise));
}

struct Range {
  double lowest, below;
  [[nodiscard]] bool has(double value) const { return value >= lowest && value < below; }
};
constexpr Range kShare{0, 1};

// An option with two numbers.
Option pair(const Row& row, std::string_view range, std::string_view otherwise, Range first, Range second,
            std::optional<std::pair<double, double>>& field) {
  const auto set = [=, &field, flag = row.flag](std::string_view given) {
    const auto comma = std::min(given.find(','), given.size());
    const auto one = parse_number<double>(given.substr(0, comma));
    const auto other = parse_number<double>(comma < given.size() ? given.substr(comma + 1) : "");
    if (!one || !first.has(*one) || !other || !second.has(*other)) {
      throw UsageError(
          fmt::format("{} {}: expected two numbers, {}, as in {}", flag, given, range, otherwise));
    }
    field = {*one, *other};
  };
  const auto get = [&field] {
    return field ? fmt::format("{},{}", field->first, field->second) : std::string();
  };
  return {.group = row.group,
          .flag = row.flag,
          .value = row.value,
          .help = std::string(row.help),
          .range = std::string(range),
          .otherwise = std::string(otherwise),
          .get = get,
          .set = set};
}

// An option with the value "bias", "norm" or both.
Option no_decay_option(OptimizerFlags& flags) {
  constexpr std::string_view kFlag = "--no-decay";
  const auto set = [&flags, kFlag](std::string_view given) {
    flags.no_decay.biases = given == "bias" || given == "bias,norm" || given == "norm,bias";
    flags.no_decay.norms = given == "norm" || given == "bias,norm" || given == "norm,bias";
    if (!given.empty() && !flags.no_decay.biases && !flags.no_decay.norms)
      throw UsageError(fmt::format("{} {}: expected bias, norm or bias,norm", kFlag, given));
  };
  const auto get = [&flags] {
    const bool both = flags.no_decay.biases && flags.no_decay.norms;
    return fmt::format("{}{}{}", flags.no_decay.biases ? "bias" : "", both ? "," : "",
                       flags.no_decay.norms ? "norm" : "");
  };
  return {.group = kGroup,
          .flag = kFlag,
          .value = "KINDS",
          .help = "apply no weight decay to biases (bias) or to parameters of normalization layers (norm)",
          .range = "bias, norm or bias,norm",
          .get = get,
          .set = set};
}

void check(const OptimizerFlags& flags) {
  using enum OptimizerKind;
  const auto only = [&](bool given, std::string_view flag, const std::vector<OptimizerKind>& having) {
    kinds().expect_having(flags.kind, given, flag, having);
  };
  only(flags.momentum.has_value(), "--momentum", {kSgd, kRmsprop, kMuon});
  only(flags.dampening.has_value(), "--dampening", {kSgd});
  only(flags.nesterov, "--nesterov", {kSgd});
  only(flags.weight_decay.has_value(), "--weight-decay",
       {kSgd, kAdam, kAdamw, kRmsprop, kAdagrad, kAdadelta, kAdamax, kNadam, kRadam, kAsgd, kMuon});
  only(flags.betas.has_value(), "--betas", {kAdam, kAdamw, kAdamax, kNadam, kRadam});
  only(flags.amsgrad, "--amsgrad", {kAdam, kAdamw});
  only(flags.eps.has_value(), "--eps",
       {kAdam, kAdamw, kRmsprop, kAdagrad, kAdadelta, kAdamax, kNadam, kRadam, kMuon});
  only(flags.alpha.has_value(), "--alpha", {kRmsprop, kAsgd});
  only(flags.centered, "--centered", {kRmsprop});
  only(flags.rho.has_value(), "--rho", {kAdadelta});
  only(flags.momentum_decay.has_value(), "--momentum-decay", {kNadam});
  only(flags.decoupled, "--decoupled-weight-decay", {kNadam, kRadam});
  only(flags.etas.has_value(), "--etas", {kRprop});
  only(flags.step_sizes.has_value(), "--step-sizes", {kRprop});
  only(flags.lambd.has_value(), "--lambd", {kAsgd});
  only(flags.t0.has_value(), "--t0", {kAsgd});
  only(flags.ns_steps.has_value(), "--ns-steps", {kMuon});
  only(flags.matches_adamw, "--adjust-lr", {kMuon});
  only(flags.muon_rest != OptimizerFlags{}.muon_rest, "--muon-rest", {kMuon});
  if (flags.nesterov && (flags.momentum.value_or(0) == 0 || flags.dampening.value_or(0) != 0)) {
    throw UsageError("--nesterov: requires --momentum above 0 and no --dampening");
  }
}

}  // namespace

std::string_view optimizer_name(OptimizerKind kind) { return kinds().name_of(kind); }

Option optimizer_option(OptimizerFlags& flags) {
  return choice<OptimizerKind>({kGroup, kinds().flag, "NAME", "optimizer, as in torch.optim"}, kinds().words,
                               flags.kind);
}

Options optimizer_options(OptimizerFlags& flags, Clipping& clipping) {
  Options rows;
  rows.push_back(optimizer_option(flags));
  rows.push_back(constant("--lr", "learning rate", kMaxDouble, kRates, flags.rate));
  rows.push_back(constant("--momentum", "momentum of sgd, rmsprop and muon", kMaxDouble, "0; muon 0.95",
                          flags.momentum));
  rows.push_back(constant("--dampening", "sgd: dampening of the momentum", kMaxDouble, "0", flags.dampening));
  rows.push_back(on_off({kGroup, "--nesterov", "", "sgd: use Nesterov momentum"}, flags.nesterov));
  rows.push_back(constant("--weight-decay", "weight decay (L2 penalty); decoupled in adamw and muon",
                          kMaxDouble, "0; adamw 0.01, muon 0.1 and 0.01 for its adamw", flags.weight_decay));
  rows.push_back(no_decay_option(flags));
  rows.push_back(freeze_option(flags.freeze));
  rows.push_back(rate_factor_option(flags.rate_factors));
  rows.push_back(pair(
      {kGroup, "--betas", "A,B", "decay rates of the running averages of the gradient and of its square"},
      "0 to below 1", "0.9,0.999", kShare, kShare, flags.betas));
  rows.push_back(constant(
      "--eps", "term added to the denominator for numerical stability; muon: smallest norm to divide by",
      kMaxDouble, "1e-8; adagrad 1e-10, adadelta 1e-6, muon 1e-7", flags.eps));
  rows.push_back(constant("--alpha",
                          "rmsprop: smoothing constant; asgd: power for the decay of the learning rate", 1,
                          "0.99; asgd 0.75", flags.alpha));
  rows.push_back(on_off({kGroup, "--amsgrad", "", "adam, adamw: use the AMSGrad variant"}, flags.amsgrad));
  rows.push_back(
      on_off({kGroup, "--centered", "", "rmsprop: normalize the gradient by an estimate of its variance"},
             flags.centered));
  rows.push_back(constant("--rho", "adadelta: decay rate of the running averages", 1, "0.9", flags.rho));
  rows.push_back(
      constant("--momentum-decay", "nadam: momentum decay", kMaxDouble, "0.004", flags.momentum_decay));
  rows.push_back(
      on_off({kGroup, "--decoupled-weight-decay", "", "nadam, radam: decoupled weight decay, as in adamw"},
             flags.decoupled));
  rows.push_back(pair({kGroup, "--etas", "A,B", "rprop: factors that decrease and increase the step size"},
                      "0 to below 1 and 1 or more", "0.5,1.2", kShare, {1, kMaxDouble}, flags.etas));
  rows.push_back(pair({kGroup, "--step-sizes", "A,B", "rprop: smallest and largest step size"}, "0 or more",
                      "1e-06,50", {0, kMaxDouble}, {0, kMaxDouble}, flags.step_sizes));
  rows.push_back(constant("--lambd", "asgd: decay term", kMaxDouble, "0.0001", flags.lambd));
  rows.push_back(constant("--t0", "asgd: step at which averaging of the parameters starts", kMaxDouble,
                          "1000000", flags.t0));
  rows.push_back(number<int>({kGroup, "--ns-steps", "N", "muon: number of Newton-Schulz iterations"}, 1, 99,
                             flags.ns_steps, "5"));
  rows.push_back(choice<bool>(
      {kGroup, "--adjust-lr", "HOW",
       "muon: scale the learning rate by sqrt(max(1, rows/columns)), or to match the update size of AdamW"},
      {{"original", false}, {"match-rms-adamw", true}}, flags.matches_adamw));
  rows.push_back(choice<OptimizerKind>({kGroup, "--muon-rest", "NAME",
                                        "muon: optimizer of all parameters but 2-D weights; adamw with its "
                                        "default betas and eps, sgd without momentum"},
                                       {{"adamw", OptimizerKind::kAdamw}, {"sgd", OptimizerKind::kSgd}},
                                       flags.muon_rest));
  constexpr float kMaxFloat = std::numeric_limits<float>::max();
  rows.push_back(number<float>(
      {kGroup, "--clip-grad-norm", "X", "clip the 2-norm of all gradients together to this value; 0: off"}, 0,
      kMaxFloat, clipping.norm));
  rows.push_back(number<float>(
      {kGroup, "--clip-grad-value", "X", "clip each gradient to the range from -X to X; 0: off"}, 0,
      kMaxFloat, clipping.value));
  return rows;
}

Optimizer optimizer_of(const OptimizerFlags& flags) {
  check(flags);
  const auto number = [](const std::optional<double>& given, double otherwise) {
    return static_cast<float>(given.value_or(otherwise));
  };
  const auto [beta1, beta2] = flags.betas.value_or(std::pair{0.9, 0.999});
  const bool is_adamw = flags.kind == OptimizerKind::kAdamw;
  const float decay = number(flags.weight_decay, is_adamw ? 0.01 : 0);
  const float eps = number(flags.eps, 1e-8);
  switch (flags.kind) {
    case OptimizerKind::kMuon:  // for the other parameters
      if (flags.muon_rest == OptimizerKind::kSgd) return Sgd{.weight_decay = decay};
      return Adam{.weight_decay = number(flags.weight_decay, 0.01), .decoupled = true};
    case OptimizerKind::kSgd:
      return Sgd{number(flags.momentum, 0), number(flags.dampening, 0), decay, flags.nesterov};
    case OptimizerKind::kAdam:
    case OptimizerKind::kAdamw:
      return Adam{beta1, beta2, eps, decay, is_adamw, flags.amsgrad};
    case OptimizerKind::kRmsprop:
      return Rmsprop{number(flags.alpha, 0.99), eps, decay, number(flags.momentum, 0), flags.centered};
    case OptimizerKind::kAdagrad:
      return Adagrad{number(flags.eps, 1e-10), decay};
    case OptimizerKind::kAdadelta:
      return Adadelta{number(flags.rho, 0.9), number(flags.eps, 1e-6), decay};
    case OptimizerKind::kAdamax:
      return Adamax{beta1, beta2, eps, decay};
    case OptimizerKind::kNadam:
      return Nadam{beta1, beta2, eps, decay, flags.momentum_decay.value_or(0.004), flags.decoupled};
    case OptimizerKind::kRadam:
      return Radam{beta1, beta2, eps, decay, flags.decoupled};
    case OptimizerKind::kRprop: {
      const auto [minus, plus] = flags.etas.value_or(std::pair{0.5, 1.2});
      const auto [smallest, largest] = flags.step_sizes.value_or(std::pair{1e-6, 50.0});
      return Rprop{number(minus, 0), number(plus, 0), number(smallest, 0), number(largest, 0)};
    }
    case OptimizerKind::kAsgd:
      return Asgd{flags.lambd.value_or(1e-4), flags.alpha.value_or(0.75), flags.t0.value_or(1e6), decay};
  }
  throw std::logic_error("an optimizer without a case");
}

std::optional<Muon> muon_of(const OptimizerFlags& flags) {
  if (flags.kind != OptimizerKind::kMuon) return std::nullopt;
  return Muon{.momentum = flags.momentum.value_or(0.95),
              .weight_decay = flags.weight_decay.value_or(0.1),
              .eps = static_cast<float>(flags.eps.value_or(1e-7)),
              .steps = flags.ns_steps.value_or(5),
              .matches_adamw = flags.matches_adamw};
}

double learning_rate_of(const OptimizerFlags& flags) {
  const auto usual = [&] {
    switch (flags.kind) {
      case OptimizerKind::kAdamax:
      case OptimizerKind::kNadam:
        return 0.002;
      case OptimizerKind::kRmsprop:
      case OptimizerKind::kAdagrad:
      case OptimizerKind::kRprop:
      case OptimizerKind::kAsgd:
        return 0.01;
      case OptimizerKind::kAdadelta:
        return 1.0;
      default:
        return 0.001;
    }
  };
  return flags.rate.value_or(usual());
}

}  // namespace warpfit
