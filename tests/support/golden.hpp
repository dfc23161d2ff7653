// Traces of PyTorch (tests/goldens): a run's options, initial parameters and losses.
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
  std::string sha256;  ///< of its little-endian float32 bytes
  float first = 0;
  float last = 0;
};

struct GoldenEpoch {
  std::vector<std::pair<std::int64_t, double>> losses;  ///< samples seen, loss of the batch
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
  /// How far losses may lie apart in the first hundred steps and behind them, and how many correct answers.
  double first_losses = 5e-5, later_losses = 5e-5;
  std::int64_t correct = 3;
  std::int64_t log_every = 0;
  std::vector<GoldenTensor> initial;
  std::vector<GoldenEpoch> epochs;
};

Golden read_golden(const std::string& name);
/// Those of its run, for as many epochs as it has.
TrainOptions options_of(const Golden& golden);
/// The names of all goldens in the repository.
std::vector<std::string> golden_names();

/// Parameters behind steps of an optimizer of PyTorch.
struct OptimizerGolden {
  std::vector<std::string> flags;        ///< of the command line that asks for it
  std::vector<std::int64_t> shape = {};  ///< of the matrix that the parameters are, of Muon
  std::vector<float> parameters;         ///< before the first step
  std::vector<std::vector<float>> gradients;
  std::vector<double> after;  ///< the last step
};
/// `file` of tests/goldens/optimizers.
std::vector<OptimizerGolden> read_optimizer_goldens(const std::string& file = "pytorch_2.15.jsonl");

}  // namespace warpfit::test
