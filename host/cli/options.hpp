// The options of `warpfit train`, a table row each: the parser, --help and README's table are all made from
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/stream/dataset.hpp"
#include "host/train/trainer.hpp"

namespace warpfit {

enum class OptimizerKind { kSgd, kAdam, kAdamw, kRmsprop, kAdagrad };

/// What was said of the optimizer; what was not is its default.
struct OptimizerFlags {
  OptimizerKind kind = OptimizerKind::kSgd;
  std::optional<double> rate, momentum, dampening, weight_decay, beta1, beta2, eps, alpha;
  bool nesterov = false, amsgrad = false, centered = false;
};

enum class ScheduleKind { kConstant, kStep, kMultistep, kExponential, kCosine, kCosineRestarts, kOneCycle };

/// What was said of the learning rate's schedule; what was not is its default.
struct ScheduleFlags {
  ScheduleKind kind = ScheduleKind::kConstant;
  std::optional<std::int64_t> step_size, t_max, t_0, t_mult;  ///< epochs
  std::optional<double> gamma, eta_min, max_rate, pct_start;
  std::vector<std::int64_t> milestones;  ///< epochs; empty where not given
  std::int64_t warmup = 0;               ///< batches
};

/// What `warpfit train` was asked for.
struct TrainCommand {
  std::string data;     ///< folder of the data set
  DatasetPaths files;   ///< files named one by one, before those of the folder
  std::string network;  ///< "784-512-512-10", empty for the default
  TrainOptions training;
  OptimizerFlags optimizer;  ///< resolved into `training` when the command runs
  ScheduleFlags schedule;
  std::string device = "auto";
  int threads = 0;  ///< 0: all usable cores
  Precision precision = Precision::kFp32;
  bool quiet = false;
};

struct Option {
  std::string_view group;  ///< heading in --help
  std::string_view flag;   ///< "--batch-size"
  std::string_view value;  ///< "N"; empty for a switch
  std::string help;        ///< what it is, its unit
  std::string range;       ///< what it may be; empty where anything
  /// What holds where the flag is not given, as text; empty for nothing.
  std::function<std::string(const TrainCommand&)> get;
  /// Errors: UsageError naming flag, value and range.
  std::function<void(TrainCommand&, std::string_view)> set;
};

std::span<const Option> train_options();

}  // namespace warpfit
