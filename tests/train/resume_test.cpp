// A run that is saved at any step and restored continues with bit-identical weights, moments and losses.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "host/base/error.hpp"
#include "host/model/frozen_parameters.hpp"
#include "host/model/initializer.hpp"
#include "host/stream/dataset_files.hpp"
#include "host/train/trainer.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/files.hpp"
#include "tests/support/random.hpp"

namespace warpfit::test {
namespace {

constexpr std::int64_t kEpochs = 3;

// The reports of a run, by step; times are omitted.
struct Rows {
  std::map<std::int64_t, std::vector<double>> steps, epochs;
};

class Recorder final : public Report {
 public:
  explicit Recorder(Rows& rows) : rows_(rows) {}
  void loss(const LossReport& report) override {
    rows_.steps[report.step] = {report.loss, report.learning_rate, report.gradient_norm.value_or(-1),
                                static_cast<double>(report.seen), static_cast<double>(report.epoch)};
  }
  void epoch_ended(const EpochReport& report) override {
    rows_.epochs[report.epoch] = {report.training.loss, static_cast<double>(report.training.correct),
                                  report.test.loss, static_cast<double>(report.test.correct),
                                  report.validation ? report.validation->loss : -1};
  }

 private:
  Rows& rows_;
};

struct Trained {
  TrainingState end;
  Rows rows;
  std::map<std::int64_t, TrainingState> saved;  ///< by step
};

bool same(const TrainingState& a, const TrainingState& b) {
  return a.parameters == b.parameters && a.gradient_sum == b.gradient_sum && a.averages == b.averages &&
         a.averaged_models == b.averaged_models && a.optimizer.moments == b.optimizer.moments &&
         a.optimizer.steps == b.optimizer.steps && a.optimizer.scalar == b.optimizer.scalar &&
         a.optimizer.other_scalars == b.optimizer.other_scalars && a.step == b.step &&
         a.best.epoch == b.best.epoch && a.best.value == b.best.value &&
         a.best.epochs_without_improvement == b.best.epochs_without_improvement &&
         a.generator.draws() == b.generator.draws();
}

class Resume : public OnEachBackend {
 protected:
  // Trains to the end, starting from the state if there is one, and saves after every step.
  Trained train(const TrainOptions& options, const TrainingState* from = nullptr) {
    const auto paths = find_dataset(sample_folder().string(), {});
    const Dataset training_set(paths.train_images, paths.train_labels);
    const Dataset test_set(paths.test_images, paths.test_labels);
    const auto [training, validation] = split_off(training_set, 0.2, true, options.seed);
    const NetworkSpec spec = with_dropout(multilayer_perceptron({784, 12, 8, 10}), dropout_);
    auto plan = plan_network(spec);
    freeze(plan, frozen_);
    TorchGenerator generator(options.seed);
    Network network(*backend_, plan, initial_parameters(plan, generator));
    Trained run;
    Recorder recorder(run.rows);
    Trainer trainer(*backend_, network, {training, validation, test_set}, options, generator, recorder,
                    {.should_stop = [&] { return stop_at_ > 0 && run.rows.steps.contains(stop_at_); },
                     .save_every_steps = 1,
                     .save_every_epochs = 0,
                     .save =
                         [&run](const TrainingState& state) {
                           run.saved[state.step] = state;
                           run.end = state;
                         },
                     .improved = {}});
    engine_ = trainer.engine();
    if (from != nullptr) trainer.restore(*from);
    EXPECT_EQ(trainer.run(), stop_at_ > 0 ? StopReason::kInterrupted : StopReason::kCompleted);
    return run;
  }

  float dropout_ = 0.2F;
  std::vector<std::string> frozen_;
  std::string engine_;        // of the last run
  std::int64_t stop_at_ = 0;  // step at whose loss report the run is stopped; 0: never

  void check(const TrainOptions& options) {
    const Trained whole = train(options);
    const auto steps = static_cast<std::int64_t>(whole.saved.size());
    std::mt19937 engine(test_seed());
    const int tries = GetParam() == "cpu" ? 20 : 2;  // an emulated GPU is slow
    for (int i = 0; i < tries; ++i) {
      const std::int64_t k = std::uniform_int_distribution<std::int64_t>(1, steps - 1)(engine);
      SCOPED_TRACE(testing::Message()
                   << "saved at step " << k << " of " << steps << ", seed " << test_seed());
      const Trained rest = train(options, &whole.saved.at(k));
      ASSERT_TRUE(same(rest.end, whole.end));
      // The rows after step k equal those of the whole run, and none is missing.
      ASSERT_TRUE(std::equal(whole.rows.steps.upper_bound(k), whole.rows.steps.end(), rest.rows.steps.begin(),
                             rest.rows.steps.end()));
      for (const auto& [epoch, row] : rest.rows.epochs) ASSERT_EQ(row, whole.rows.epochs.at(epoch));
      ASSERT_EQ(rest.rows.epochs.rbegin()->first, kEpochs);
    }
  }
};

TrainOptions options_for(const Optimizer& optimizer, bool shuffle) {
  return {.epochs = kEpochs,
          .batch_size = 32,
          .learning_rate = 0.01,
          .schedule = OneCycle{.max_rate = 0.02},
          .warmup = 4,
          .seed = 7,
          .shuffle = shuffle,
          .clipping = {.norm = 1},
          .optimizer = optimizer,
          .measure_norm = true,
          .log_every = 3};
}

TEST_P(Resume, GoesOnBitForBitWithEveryOptimizer) {
  const std::vector<Optimizer> optimizers{Sgd{},
                                          Sgd{.momentum = 0.9F, .nesterov = true},
                                          Adam{.amsgrad = true},
                                          Adam{.weight_decay = 0.1F, .decoupled = true},
                                          Rmsprop{.momentum = 0.5F, .centered = true},
                                          Adagrad{},
                                          Nadam{},
                                          Rprop{},
                                          Asgd{.lambd = 0.1}};
  for (std::size_t i = 0; i < optimizers.size(); ++i) {
    SCOPED_TRACE(testing::Message() << "optimizer " << i);
    check(options_for(optimizers[i], i % 2 == 0));
  }
}

TEST_P(Resume, GoesOnBitForBitBetweenTwoUpdates) {
  auto options = options_for(Adam{}, true);
  options.accumulate = 3;
  check(options);
}

TEST_P(Resume, GoesOnBitForBitWithGroupsOfParameters) {
  auto options = options_for(Adam{.weight_decay = 0.1F, .decoupled = true}, true);
  options.no_decay.biases = true;
  check(options);
  options.muon = Muon{.steps = 2};
  options.accumulate = 3;
  check(options);
  options.optimizer = Sgd{};
  options.accumulate = 1;
  options.ema = 0.9;
  check(options);
}

TEST_P(Resume, GoesOnBitForBitWithFrozenParameters) {
  frozen_ = {"0.bias", "*.weight"};
  auto options = options_for(Adam{.weight_decay = 0.1F, .decoupled = true}, true);
  options.ema = 0.9;
  check(options);
}

TEST_P(Resume, GoesOnBitForBitWithFactorsOfTheLearningRate) {
  auto options = options_for(Asgd{.lambd = 0.1}, true);
  options.rate_factors = {{"0.*", 0.5F}, {"*.bias", 3}};
  check(options);
}

TEST_P(Resume, GoesOnBitForBitWithAverages) {
  auto options = options_for(Adam{}, true);
  options.ema = 0.9;
  check(options);
  options.ema = 0;
  options.swa_start = 2;
  check(options);
}

// Stopped right after the last batch of an epoch: the resumed run evaluates the epoch.
TEST_P(Resume, GoesOnBitForBitFromAnEvaluation) {
  auto options = options_for(Adam{}, true);
  options.log_every = 1;
  options.swa_start = 1;
  const Trained whole = train(options);
  stop_at_ = 16;  // last of the 8 batches of the second epoch
  const Trained stopped = train(options);
  ASSERT_EQ(stopped.end.batch, 8);
  ASSERT_EQ(stopped.end.step, 16);
  EXPECT_EQ(stopped.rows.epochs.size(), 1U);
  stop_at_ = 0;
  const Trained rest = train(options, &stopped.end);
  ASSERT_TRUE(same(rest.end, whole.end));
  EXPECT_EQ(rest.rows.steps.begin()->first, 17);
  ASSERT_EQ(rest.rows.epochs.size(), 2U);
  for (const auto& [epoch, row] : rest.rows.epochs) EXPECT_EQ(row, whole.rows.epochs.at(epoch));
}

TEST_P(Resume, GoesOnBitForBitWithAFusedUpdate) {
  for (const bool shuffle : {false, true}) {
    for (const Residency residency : {Residency::kStream, Residency::kResident}) {
      auto options = options_for(Sgd{}, shuffle);
      options.clipping = {};
      options.residency = residency;
      check(options);
    }
  }
}

// The number of batches determines where the losses of the next run are stored.
TEST_P(Resume, RefusesMetricsOfAnotherBatch) {
  const auto options = options_for(Adam{}, false);
  auto state = train(options).saved.at(3);
  ++state.metrics.batches;
  EXPECT_THROW(train(options, &state), ModelError);
}

// A device without the fused engine runs layer by layer.
TEST_P(Resume, GoesOnBitForBitWhereTheEngineIsFused) {
  for (const Optimizer& optimizer : {Optimizer(Sgd{}), Optimizer(Sgd{.momentum = 0.9F}), Optimizer(Adam{})}) {
    auto options = options_for(optimizer, true);
    options.clipping = {};
    dropout_ = 0;
    options.measure_norm = false;
    options.engine = Engine::kAuto;
    check(options);
    EXPECT_EQ(engine_.starts_with("fused"), GetParam() == "cuda") << engine_;
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, Resume, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
