// Reference traces of PyTorch (tests/goldens): the options, initial parameters and losses of a run.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "host/backend/loss.hpp"
#include "host/backend/optimizer.hpp"
#include "host/optim/schedule.hpp"
#include "host/train/trainer.hpp"

namespace warpfit::test {

struct GoldenTensor {
  std::string sha256;  ///< of the tensor's little-endian float32 bytes
  float first = 0;
  float last = 0;
};

struct GoldenEpoch {
  std::vector<std::pair<std::int64_t, double>> losses;  ///< number of samples trained, loss of the batch
  std::int64_t correct = 0;
  double test_loss = 0;
};

struct Golden {
  std::string name;
  std::string network;
  std::uint64_t seed = 0;
  std::int64_t batch_size = 0;
  double learning_rate = 0;
  ScheduleShape schedule;
  bool shuffle = false;
  Loss loss = {};
  double clip_norm = 0;
  Optimizer optimizer;
  /// Allowed differences of the losses in the first hundred steps and after them, and of the number of
  /// correct predictions.
  double first_losses = 5e-5, later_losses = 5e-5;
  std::int64_t correct = 3;
  std::int64_t log_every = 0;
  std::vector<GoldenTensor> initial;
  std::vector<GoldenEpoch> epochs;
};

Golden read_golden(const std::string& name);
/// The options of the trace's run, with as many epochs as the trace has.
TrainOptions options_of(const Golden& golden);
/// The names of all goldens in the repository.
std::vector<std::string> golden_names();

/// Parameters after some steps of a PyTorch optimizer.
struct OptimizerGolden {
  std::vector<std::string> flags;        ///< command-line options that select the optimizer
  std::vector<std::int64_t> shape = {};  ///< shape of the parameter matrix, for Muon only
  std::vector<float> parameters;         ///< before the first step
  std::vector<std::vector<float>> gradients;
  std::vector<double> after;  ///< after the last step
};
/// Reads `file` of tests/goldens/optimizers.
std::vector<OptimizerGolden> read_optimizer_goldens(const std::string& file = "pytorch_2.15.jsonl");

}  // namespace warpfit::test
