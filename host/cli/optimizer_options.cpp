#include "host/cli/optimizer_options.hpp"

#include <fmt/core.h>

#include <limits>

#include "host/cli/kinds.hpp"
#include "host/cli/option_rows.hpp"

namespace warpfit {
namespace {

constexpr std::string_view kGroup = "Optimizer";
constexpr double kMost = std::numeric_limits<double>::max();

const Kinds<OptimizerKind>& kinds() {
  static const Kinds<OptimizerKind> kinds{"--optimizer",
                                          {{"sgd", OptimizerKind::kSgd},
                                           {"adam", OptimizerKind::kAdam},
                                           {"adamw", OptimizerKind::kAdamw},
                                           {"rmsprop", OptimizerKind::kRmsprop},
                                           {"adagrad", OptimizerKind::kAdagrad}}};
  return kinds;
}

Option constant(std::string_view flag, std::string_view help, double highest, std::string_view otherwise,
                std::optional<double>& field) {
  return number<double>({kGroup, flag, "X", help}, 0, highest, field, std::string(otherwise));
}

Option betas_option(OptimizerFlags& flags) {
  constexpr std::string_view kFlag = "--betas";
  const auto set = [&flags, kFlag](std::string_view given) {
    const auto comma = std::min(given.find(','), given.size());
    const auto first = parse_number<double>(given.substr(0, comma));
    const auto second = parse_number<double>(comma < given.size() ? given.substr(comma + 1) : "");
    const auto fits = [](const auto& beta) { return beta && *beta >= 0 && *beta < 1; };
    if (!fits(first) || !fits(second)) {
      throw UsageError(
          fmt::format("{} {}: expected two numbers from 0 to below 1, as in 0.9,0.999", kFlag, given));
    }
    flags.beta1 = first;
    flags.beta2 = second;
  };
  const auto get = [&flags] {
    return flags.beta1 ? fmt::format("{},{}", *flags.beta1, *flags.beta2) : std::string();
  };
  return {.group = kGroup,
          .flag = kFlag,
          .value = "A,B",
          .help = "decay of Adam's means of the gradient and of its square",
          .range = "0 to below 1",
          .otherwise = "0.9,0.999",
          .get = get,
          .set = set};
}

void check(const OptimizerFlags& flags) {
  using enum OptimizerKind;
  const auto only = [&](bool given, std::string_view flag, const std::vector<OptimizerKind>& having) {
    kinds().expect_having(flags.kind, given, flag, having);
  };
  only(flags.momentum.has_value(), "--momentum", {kSgd, kRmsprop});
  only(flags.dampening.has_value(), "--dampening", {kSgd});
  only(flags.nesterov, "--nesterov", {kSgd});
  only(flags.beta1.has_value(), "--betas", {kAdam, kAdamw});
  only(flags.amsgrad, "--amsgrad", {kAdam, kAdamw});
  only(flags.eps.has_value(), "--eps", {kAdam, kAdamw, kRmsprop, kAdagrad});
  only(flags.alpha.has_value(), "--alpha", {kRmsprop});
  only(flags.centered, "--centered", {kRmsprop});
  if (flags.nesterov && (flags.momentum.value_or(0) == 0 || flags.dampening.value_or(0) != 0)) {
    throw UsageError("--nesterov: expected --momentum above 0 and no --dampening");
  }
}

}  // namespace

std::string_view optimizer_name(OptimizerKind kind) { return kinds().name_of(kind); }

Option optimizer_option(OptimizerFlags& flags) {
  return choice<OptimizerKind>(
      {kGroup, kinds().flag, "NAME", "how gradients change the parameters, as in torch.optim"}, kinds().words,
      flags.kind);
}

Options optimizer_options(OptimizerFlags& flags, Clipping& clipping) {
  Options rows;
  rows.push_back(optimizer_option(flags));
  rows.push_back(constant("--lr", "learning rate", kMost, "0.001; rmsprop and adagrad 0.01", flags.rate));
  rows.push_back(constant("--momentum", "of sgd and rmsprop", kMost, "0", flags.momentum));
  rows.push_back(constant("--dampening", "of sgd's momentum", kMost, "0", flags.dampening));
  rows.push_back(on_off({kGroup, "--nesterov", "", "Nesterov's momentum, of sgd"}, flags.nesterov));
  rows.push_back(constant("--weight-decay",
                          "times the parameters, added to their gradients; adamw: taken off them", kMost,
                          "0; adamw 0.01", flags.weight_decay));
  rows.push_back(betas_option(flags));
  rows.push_back(constant("--eps", "added to the root that the others divide by", kMost,
                          "1e-8; adagrad 1e-10", flags.eps));
  rows.push_back(
      constant("--alpha", "decay of rmsprop's mean of the squared gradient", 1, "0.99", flags.alpha));
  rows.push_back(
      on_off({kGroup, "--amsgrad", "", "adam and adamw divide by the largest mean so far"}, flags.amsgrad));
  rows.push_back(
      on_off({kGroup, "--centered", "", "rmsprop divides by the variance's root"}, flags.centered));
  constexpr float kMostFloat = std::numeric_limits<float>::max();
  rows.push_back(number<float>({kGroup, "--clip-grad-norm", "X",
                                "scale gradients down to this 2-norm of all together; 0 for no bound"},
                               0, kMostFloat, clipping.norm));
  rows.push_back(
      number<float>({kGroup, "--clip-grad-value", "X", "keep each gradient between -X and X; 0 for no bound"},
                    0, kMostFloat, clipping.value));
  return rows;
}

Optimizer optimizer_of(const OptimizerFlags& flags) {
  check(flags);
  const auto number = [](const std::optional<double>& given, double otherwise) {
    return static_cast<float>(given.value_or(otherwise));
  };
  switch (flags.kind) {
    case OptimizerKind::kSgd:
      return Sgd{number(flags.momentum, 0), number(flags.dampening, 0), number(flags.weight_decay, 0),
                 flags.nesterov};
    case OptimizerKind::kRmsprop:
      return Rmsprop{number(flags.alpha, 0.99), number(flags.eps, 1e-8), number(flags.weight_decay, 0),
                     number(flags.momentum, 0), flags.centered};
    case OptimizerKind::kAdagrad:
      return Adagrad{number(flags.eps, 1e-10), number(flags.weight_decay, 0)};
    default:
      break;
  }
  const bool decoupled = flags.kind == OptimizerKind::kAdamw;
  return Adam{flags.beta1.value_or(0.9),
              flags.beta2.value_or(0.999),
              number(flags.eps, 1e-8),
              number(flags.weight_decay, decoupled ? 0.01 : 0),
              decoupled,
              flags.amsgrad};
}

double learning_rate_of(const OptimizerFlags& flags) {
  const bool large = flags.kind == OptimizerKind::kRmsprop || flags.kind == OptimizerKind::kAdagrad;
  return flags.rate.value_or(large ? 0.01 : 0.001);
}

}  // namespace warpfit
