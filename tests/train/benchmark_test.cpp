#include "host/train/benchmark.hpp"

#include <gtest/gtest.h>

#include "host/model/initializer.hpp"
#include "host/stream/dataset_files.hpp"
#include "host/train/parameter_groups.hpp"
#include "host/train/step_work.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

const NetworkPlan kTutorial = plan_network(multilayer_perceptron({784, 512, 512, 10}));

double flop_of(const std::array<Work, kPhases>& work, Phase phase) {
  return work[static_cast<std::size_t>(phase)].flop;
}

TEST(StepWork, IsTheTutorials) {
  const double weights = 784.0 * 512 + 512 * 512 + 512 * 10;
  const double forward = 2 * 64 * weights;
  const double back = 2 * 64 * (512.0 * 512 + 512 * 10);
  const auto fused = step_work(kTutorial, 64, {{{Sgd{}}}}, true);
  EXPECT_EQ(flop_of(fused, Phase::kForward), forward);
  EXPECT_EQ(flop_of(fused, Phase::kBackward), back);
  EXPECT_EQ(flop_of(fused, Phase::kUpdate), forward);
  const auto separate = step_work(kTutorial, 64, {{{Adam{}}}}, false);
  EXPECT_EQ(flop_of(separate, Phase::kForward), forward);
  EXPECT_EQ(flop_of(separate, Phase::kBackward), back + forward);
  EXPECT_EQ(flop_of(separate, Phase::kUpdate), 0);
}

TEST(StepWork, CountsEachOperandOnce) {
  const auto small = plan_network(multilayer_perceptron({3, 2}));
  const auto work = step_work(small, 5, {{{Adam{}}}}, false);
  EXPECT_EQ(work[0].bytes, 5 * (3 + 4 * 3 + 2));              // pixels, floats, label twice
  EXPECT_EQ(work[1].bytes, 4 * (5 * 3 + 3 * 2 + 2 + 5 * 2));  // x, w, b, y
  EXPECT_EQ(work[2].bytes, 5 * (4 * 2 * 2 + 1));              // logits, their gradient, label
  EXPECT_EQ(work[3].bytes, 4 * (5 * 3 + 5 * 2 + 3 * 2 + 2));  // x, dy, dw, db
  EXPECT_EQ(work[4].bytes, 4 * 8 * (1 + 2 * 3));  // gradient read; parameter, m and v read and written
  const auto fused = step_work(small, 5, {{{Sgd{}}}}, true);
  EXPECT_EQ(fused[3].bytes, 0);
  EXPECT_EQ(fused[4].bytes, 4 * (5 * 3 + 5 * 2 + 2 * 8));
}

// A (2, 3) matrix: two Newton-Schulz steps, each with the products (2, 3) (3, 2), (2, 2) (2, 2) and (2, 2)
// (2, 3); biases are updated by SGD.
TEST(StepWork, CountsMuonsProducts) {
  const auto small = plan_network(multilayer_perceptron({3, 2}));
  const auto groups = parameter_groups(small, {.muon = Muon{.steps = 2}});
  const auto work = step_work(small, 5, groups, false);
  EXPECT_EQ(work[4].flop, 2 * 2 * (2 * 3 * 2 + 2 * 2 * 2 + 2 * 2 * 3));
  EXPECT_EQ(work[4].bytes, 4 * (2 * (6 * 6 + 9 * 4) + 10 * 6) + 4 * 2 * 3);
}

class Benchmarking : public OnEachBackend {
 protected:
  BenchmarkFindings measure(const BenchmarkOptions& options) {
    const auto paths = find_training_set(sample_folder().string(), {});
    const Dataset samples(paths.train_images, paths.train_labels);
    const NetworkSpec spec = multilayer_perceptron({784, 8, 10});
    const auto plan = plan_network(spec);
    TorchGenerator generator(0);
    const Network network(*backend_, plan, initial_parameters(plan, generator));
    return Benchmark(*backend_, network, samples, options).run();
  }
};

TEST_P(Benchmarking, MeasuresEveryPhaseAndPath) {
  for (const bool shuffle : {false, true}) {
    for (const Optimizer& optimizer : {Optimizer{Sgd{}}, Optimizer{Adam{}}}) {
      const auto findings =
          measure({.batch_size = 16, .steps = 2, .repeats = 2, .shuffle = shuffle, .optimizer = optimizer});
      ASSERT_EQ(findings.phases.size(), kPhases + 1);
      EXPECT_EQ(findings.phases.back().name, "step");
      EXPECT_GT(findings.phases.back().seconds.lowest, 0);
      ASSERT_EQ(findings.paths.size(), 3U);
      for (const auto& path : findings.paths) {
        EXPECT_GT(path.samples.lowest, 0) << path.name;
        EXPECT_LE(path.samples.lowest, path.samples.median) << path.name;
        EXPECT_LE(path.samples.median, path.samples.highest) << path.name;
      }
      EXPECT_GT(findings.copy_bytes.lowest, 0);
      EXPECT_EQ(findings.sample_bytes, 786);
    }
  }
}

// A device without that engine has no row for it.
TEST_P(Benchmarking, MeasuresTheEngineThatTrains) {
  const bool fuses = GetParam() == "cuda";
  const auto names = [](const BenchmarkFindings& findings) {
    std::vector<std::string> found;
    for (const auto& phase : findings.phases) found.push_back(phase.name);
    return found;
  };
  std::vector<std::string> expected{"load", "forward", "loss", "backward", "update", "step"};
  const auto layers = measure({.batch_size = 16, .steps = 2, .repeats = 1, .engine = Engine::kLayers});
  EXPECT_EQ(names(layers), expected);
  EXPECT_EQ(layers.engine, "layers");
  if (fuses) expected.emplace_back("fused");
  const auto chosen = measure({.batch_size = 16, .steps = 2, .repeats = 1, .engine = Engine::kAuto});
  EXPECT_EQ(names(chosen), expected);
  EXPECT_EQ(chosen.engine == "fused", fuses) << chosen.engine;
  EXPECT_GT(chosen.phases.back().seconds.lowest, 0);
  EXPECT_TRUE(layers.kernel_phases.empty());
  if (chosen.kernel_phases.empty()) return;  // builds that do not measure phases
  EXPECT_EQ(chosen.kernel_phases.front().name, "load pixels");
  EXPECT_GT(chosen.kernel_phases.front().median, 0);
  for (const auto& phase : chosen.kernel_phases) EXPECT_GE(phase.slowest, phase.median) << phase.name;
}

TEST_P(Benchmarking, TakesNoMoreWholeBatchesThanThereAre) {
  const auto few = measure({.batch_size = 64, .steps = 1000, .repeats = 1});
  EXPECT_EQ(few.steps, 4);
  const auto one = measure({.batch_size = 1000, .steps = 5, .repeats = 1});
  EXPECT_EQ(one.steps, 1);
  EXPECT_EQ(one.batch_size, 300);
}

INSTANTIATE_TEST_SUITE_P(Backends, Benchmarking, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
