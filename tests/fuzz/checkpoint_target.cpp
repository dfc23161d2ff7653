// Checkpoints of a run. An accepted checkpoint is saved and loaded again: the state must be equal, and saving
// it must give the same bytes.
#include "host/train/checkpoint.hpp"
#include "tests/fuzz/safetensors_format.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/support/linear_tensors.hpp"

namespace warpfit::fuzz {
namespace {

std::vector<float> parameters_of(const ModelInfo& info, float scale) {
  const auto plan = plan_of(info);
  std::vector<float> values(plan.floats);
  for (const auto& layer : test::linear_tensors(plan)) {  // the padding between layers stays 0
    values[layer.weight] = scale;
    values[layer.bias] = -scale;
  }
  return values;
}

Checkpoint checkpoint(std::size_t moments) {
  Checkpoint result{.info = {.network = multilayer_perceptron({3, 2, 2}), .sample_shape = {3}},
                    .state = {},
                    .metrics = {.json = 1200, .csv = 7},
                    .data = "10x3, labels 1f2e3d4c"};
  auto& state = result.state;
  state.epoch = 3;
  state.batch = 17;
  state.step = 1893;
  state.generator = TorchGenerator(0xfedcba9876543210, 100);
  state.metrics = {.loss_sum = 1.0 / 3, .last_loss = 0.1F, .batches = 17, .correct = 99};
  state.best = {.epoch = 2, .value = 2.0 / 3, .epochs_without_improvement = 1, .reference = 0.7};
  state.parameters = parameters_of(result.info, 0.5F);
  for (std::size_t k = 0; k < moments; ++k) state.optimizer.moments.at(k) = parameters_of(result.info, 0.1F);
  state.optimizer.steps = 1893;
  return result;
}

}  // namespace

void read(Input input) {
  static InputFile file;
  const auto read = load_checkpoint(file.holding(input));
  const auto path = output_path();
  save_checkpoint(path, read);
  const auto saved = test::read_file(path);
  save_checkpoint(path, load_checkpoint(path));
  require(saved == test::read_file(path), "a checkpoint that was read and saved reads back the same");
}

std::vector<Bytes> seeds() {
  std::vector<Bytes> all;
  for (std::size_t moments = 0; moments <= kMaxMoments; ++moments) {
    all.push_back(written([&](const auto& path) { save_checkpoint(path, checkpoint(moments)); }));
  }
  return all;
}

std::vector<std::string> words() { return safetensors_words(); }

}  // namespace warpfit::fuzz

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  return warpfit::fuzz::mutate_safetensors(data, size, max_size, seed);
}
