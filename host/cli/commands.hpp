// What the program can be asked for: a struct a command, and its table of options.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "host/cli/options.hpp"
#include "host/report/predictions.hpp"
#include "host/run/run_options.hpp"

namespace warpfit {

struct DeviceFlags {
  std::string name = "auto";
  std::optional<int> threads;  ///< of the CPU; without it all usable cores
  Precision precision = Precision::kFp32;
};

/// What standard error is told.
struct Verbosity {
  bool quiet = false;    ///< warnings and errors only
  bool verbose = false;  ///< also why things are done as they are
};

enum class OptimizerKind {
  kSgd,
  kAdam,
  kAdamw,
  kRmsprop,
  kAdagrad,
  kAdadelta,
  kAdamax,
  kNadam,
  kRadam,
  kRprop,
  kAsgd,
  kMuon
};

/// What was said of the optimizer; what was not is its default.
struct OptimizerFlags {
  OptimizerKind kind = OptimizerKind::kSgd;
  std::optional<double> rate, momentum, dampening, weight_decay, eps, alpha, rho, momentum_decay, lambd, t0;
  std::optional<std::pair<double, double>> betas, etas, step_sizes;
  std::optional<int> ns_steps;
  bool matches_adamw = false;                       ///< muon's steps are as large as AdamW's
  OptimizerKind muon_rest = OptimizerKind::kAdamw;  ///< of the parameters that muon does not update
  bool nesterov = false, amsgrad = false, centered = false, decoupled = false;
  bool no_decay_of_biases = false;
  bool no_decay_of_norms = false;  ///< of normalization layers
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

/// A command's name, its arguments for the line of usage, and what it does.
struct CommandText {
  std::string_view name, arguments, summary, description;
};

struct TrainCommand {
  static constexpr CommandText kText{
      "train", "--data DIR [OPTIONS]", "train and test a network",
      "Trains a neural network on labelled samples and tests it after each epoch. Prints what PyTorch's\n"
      "tutorial prints; all other messages go to standard error.\n"};

  RunOptions run;            ///< but for what the flags below are resolved into when the command runs
  OptimizerFlags optimizer;  ///< `run.training`
  ScheduleFlags schedule;    ///< likewise
  DeviceFlags device;        ///< `run.device`
  std::string config_file;   ///< file of options, which the command line's go before; empty for none
  Verbosity verbosity;
};

struct ResumeCommand {
  static constexpr CommandText kText{"resume", "RUN_DIR [OPTIONS]", "go on with a run that was interrupted",
                                     "Goes on with a run of train --run-dir from its newest checkpoint that "
                                     "can be read, with the options that it\n"
                                     "began with, and ends in the same bits as if it had never stopped.\n"};

  std::string folder;
  std::optional<std::int64_t> device_memory_limit;  ///< bytes; without it the run's
  Verbosity verbosity;
};

struct InspectCommand {
  static constexpr CommandText kText{"inspect", "FILE [--images N]", "show what is in a file",
                                     "Prints what is in a file of data or weights, whatever its name: of IDX "
                                     "files also the first images,\n"
                                     "of safetensors and ONNX the range of each tensor.\n"};

  std::string path;
  std::int64_t images = 3;  ///< drawn at most
};

struct DevicesCommand {
  static constexpr CommandText kText{"devices", "", "show what can be computed on",
                                     "Prints the processor, the GPUs and the libraries that this machine and "
                                     "this build have.\n"};
};

struct EvalCommand {
  static constexpr CommandText kText{"eval", "MODEL --data DIR [OPTIONS]", "test a model on labelled samples",
                                     "Prints a model's accuracy and loss on the test set, the scores of each "
                                     "class and which class was taken for which.\n"
                                     "A share whose denominator is 0 is 0: the precision of a class that was "
                                     "never predicted.\n"};

  std::string model;
  DataOptions data;
  std::int64_t batch_size = 64;
  DeviceFlags device;
  bool json = false;
  bool quiet = false;
};

struct PredictCommand {
  static constexpr CommandText kText{
      "predict", "MODEL IMAGES [OPTIONS]", "print what samples are taken for",
      "Prints the best classes of each sample with their probabilities, a row a "
      "sample.\n"};

  std::string model, images;
  std::int64_t batch_size = 1000;
  DeviceFlags device;
  std::int64_t top_k = 1;
  PredictionFormat format = PredictionFormat::kCsv;
  bool logits = false;  ///< the network's outputs in place of probabilities
  bool quiet = false;
};

struct ExportCommand {
  static constexpr CommandText kText{
      "export", "MODEL --to NAME --output FILE", "write a model for others",
      "Writes a model in another format, or under other names: safetensors for "
      "PyTorch, ONNX for runtimes,\n"
      "npz for NumPy.\n"};

  std::string model, to, output;
  std::optional<std::string> names;  ///< without it the model's
  bool quiet = false;
};

struct BenchCommand {
  static constexpr CommandText kText{
      "bench", "--data DIR [OPTIONS]", "measure where training's time goes",
      "Measures a training step phase by phase, and how fast samples are read and sent alone, computed on "
      "alone, and both\ntogether. Each figure is the median of the measurements, between the lowest and the "
      "highest of them.\n"};

  BenchmarkRunOptions run;   ///< but for what the flags below are resolved into
  OptimizerFlags optimizer;  ///< `run.benchmark`
  DeviceFlags device;        ///< `run.device`
  std::string json;          ///< file; empty for none
  bool quiet = false;
};

/// The table of a command, which sets what `command` holds and must not outlive it.
Options options_of(TrainCommand& command);
Options options_of(ResumeCommand& command);
Options options_of(InspectCommand& command);
Options options_of(DevicesCommand& command);
Options options_of(EvalCommand& command);
Options options_of(PredictCommand& command);
Options options_of(ExportCommand& command);
Options options_of(BenchCommand& command);

}  // namespace warpfit
