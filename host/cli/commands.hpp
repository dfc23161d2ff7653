// The program's commands: a struct for each command, and its table of options.
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
  std::optional<int> threads;  ///< CPU threads; by default all usable cores
  Precision precision = Precision::kFp32;
  bool fast = false;
};

/// Which messages are printed on standard error.
struct Verbosity {
  bool quiet = false;    ///< warnings and errors only
  bool verbose = false;  ///< also messages about decisions and their reasons
  bool progress = true;  ///< a progress line, if standard error is a terminal
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

/// The optimizer's flags; those that were not given have their defaults.
struct OptimizerFlags {
  OptimizerKind kind = OptimizerKind::kSgd;
  std::optional<double> rate, momentum, dampening, weight_decay, eps, alpha, rho, momentum_decay, lambd, t0;
  std::optional<std::pair<double, double>> betas, etas, step_sizes;
  std::optional<int> ns_steps;
  bool matches_adamw = false;                       ///< muon's steps are as large as AdamW's
  OptimizerKind muon_rest = OptimizerKind::kAdamw;  ///< optimizer of the parameters that muon does not update
  bool nesterov = false, amsgrad = false, centered = false, decoupled = false;
  NoDecay no_decay;
  std::vector<std::string> freeze;       ///< for `run`
  std::vector<RateFactor> rate_factors;  ///< for `run.training`
};

enum class ScheduleKind {
  kConstant,
  kStep,
  kMultistep,
  kExponential,
  kCosine,
  kCosineRestarts,
  kLinear,
  kOneCycle
};

/// The flags of the learning-rate schedule; those that were not given have their defaults.
struct ScheduleFlags {
  ScheduleKind kind = ScheduleKind::kConstant;
  std::optional<std::int64_t> step_size, t_max, t_0, t_mult;  ///< epochs
  std::optional<double> gamma, eta_min, end_factor, max_rate, pct_start;
  std::vector<std::int64_t> milestones;  ///< epochs; empty if not given
  std::int64_t warmup = 0;               ///< batches
};

/// A command's name, its arguments for the usage line, a summary and a description.
struct CommandText {
  std::string_view name, arguments, summary, description;
};

struct TrainCommand {
  static constexpr CommandText kText{
      "train", "--data DIR [OPTIONS]", "train and evaluate a network",
      "Trains a neural network on labelled samples and tests it after each epoch. Prints what PyTorch's\n"
      "tutorial prints; all other messages go to standard error.\n"};

  RunOptions run;                    ///< without what the flags below determine when the command runs
  std::optional<std::string> names;  ///< `run.names`; by default it depends on the network
  OptimizerFlags optimizer;          ///< for `run.training`
  ScheduleFlags schedule;            ///< likewise
  DeviceFlags device;                ///< for `run.device`
  std::optional<std::int64_t> batch_size_per_rank;  ///< for `run.training.batch_size`
  std::string config_file;  ///< file of options, overridden by the command line; empty for none
  Verbosity verbosity;
};

struct ResumeCommand {
  static constexpr CommandText kText{
      "resume", "RUN_DIR [OPTIONS]", "resume an interrupted run, or continue a finished one",
      "Resumes a run of train --run-dir from its newest readable checkpoint, with the options it was started "
      "with.\nThe results are bit-identical to those of a run that was never interrupted.\n"
      "--epochs N continues a finished run, or sets another number of epochs for an interrupted one.\n"};

  std::string folder;
  std::optional<std::int64_t> epochs;               ///< of the whole run; by default as before
  std::optional<std::int64_t> device_memory_limit;  ///< bytes; by default that of the run
  ParallelMode parallel = ParallelMode::kAuto;
  Verbosity verbosity;
};

struct InspectCommand {
  static constexpr CommandText kText{
      "inspect", "FILE [OPTIONS]", "show the contents of a file",
      "Prints the contents of a data or model file, whatever its name. For IDX files it also draws the first "
      "images;\nfor safetensors and ONNX files it prints the range of each tensor.\n"};

  std::string path;
  std::int64_t images = 3;  ///< maximum number of images that are drawn
  std::string labels;       ///< file of the images' labels; empty for none
  SampleLayout layout;      ///< of the images
};

struct DevicesCommand {
  static constexpr CommandText kText{
      "devices", "", "list devices and libraries",
      "Prints the processor, the GPUs and the libraries that this machine and this build have.\n"};
};

struct EvalCommand {
  static constexpr CommandText kText{
      "eval", "MODEL --data DIR [OPTIONS]", "evaluate a model on labelled samples",
      "Prints the accuracy and the loss of a model on the test set, the scores of each class and the "
      "confusion matrix (of at most 1000 classes).\nA score whose denominator is 0, such as the precision "
      "of a class that was never predicted, is printed as 0.\n"};

  std::string model;
  std::string network;               ///< layers of a state dict; empty if they follow from the file
  std::vector<float> normalization;  ///< of a state dict, as in NormalizationOptions
  TestViewOptions views;
  DataOptions data;
  std::int64_t batch_size = 64;
  DeviceFlags device;
  bool json = false;
  bool quiet = false;
};

struct PredictCommand {
  static constexpr CommandText kText{
      "predict", "MODEL IMAGES [OPTIONS]", "print predicted classes",
      "Prints the most probable classes of each sample with their probabilities, one row per sample.\n"};

  std::string model, images;
  std::string network;  ///< as in EvalCommand
  std::vector<float> normalization;
  TestViewOptions views;
  SampleLayout layout;  ///< of the images
  std::int64_t batch_size = 1000;
  DeviceFlags device;
  std::int64_t top_k = 1;
  PredictionFormat format = PredictionFormat::kCsv;
  bool logits = false;  ///< the network's outputs instead of probabilities
  bool quiet = false;
};

struct ExportCommand {
  static constexpr CommandText kText{
      "export", "MODEL --to NAME --output FILE", "convert a model",
      "Converts a model to another format, or renames its tensors: safetensors for PyTorch, ONNX for "
      "inference\nruntimes, npz for NumPy.\n"};

  std::string model, to, output;
  std::optional<std::string> names;  ///< by default the model's
  bool quiet = false;
};

struct BenchCommand {
  static constexpr CommandText kText{
      "bench", "--data DIR [OPTIONS]", "measure training performance",
      "Measures each phase of a training step, and the throughput of reading and copying samples alone, of "
      "computing\nalone, and of both together. Each figure is the median of all measurements, with the "
      "lowest and the highest.\n"};

  BenchmarkRunOptions run;   ///< without what the flags below determine
  OptimizerFlags optimizer;  ///< for `run.benchmark`
  DeviceFlags device;        ///< for `run.device`
  std::string json;          ///< output file; empty for none
  bool quiet = false;
};

/// The table of options of a command. It refers to `command`, which must outlive it.
Options options_of(TrainCommand& command);
Options options_of(ResumeCommand& command);
Options options_of(InspectCommand& command);
Options options_of(DevicesCommand& command);
Options options_of(EvalCommand& command);
Options options_of(PredictCommand& command);
Options options_of(ExportCommand& command);
Options options_of(BenchCommand& command);

}  // namespace warpfit
