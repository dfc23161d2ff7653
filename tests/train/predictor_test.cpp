#include "host/train/predictor.hpp"

#include <gtest/gtest.h>

#include "host/run/make_backend.hpp"
#include "host/train/evaluation.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/files.hpp"
#include "tests/support/linear_tensors.hpp"
#include "tests/support/random.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {
namespace {

constexpr std::int64_t kSamples = 13;
constexpr std::int64_t kBatch = 5;  // the last batch is shorter
constexpr std::int64_t kInputs = 6;
constexpr std::int64_t kHidden = 4;
constexpr std::int64_t kClasses = 3;

class Predicting : public OnEachBackend {
 protected:
  [[nodiscard]] std::span<const float> part(std::size_t offset, std::size_t size) const {
    return std::span(parameters_).subspan(offset, size);
  }

  [[nodiscard]] Doubles expected() const {
    std::vector<float> x;
    for (const auto pixel : pixels_) x.push_back(static_cast<float>(pixel) / 255.0F);
    const auto& layers = linear_tensors(plan_);
    std::vector<float> hidden;
    for (const double z : reference_linear(x, part(layers[0].weight, layers[0].weight_size()),
                                           part(layers[0].bias, layers[0].bias_size()), kSamples)) {
      hidden.push_back(static_cast<float>(std::max(z, 0.0)));
    }
    return reference_linear(hidden, part(layers[1].weight, layers[1].weight_size()),
                            part(layers[1].bias, layers[1].bias_size()), kSamples);
  }

  TemporaryFolder folder_;
  TestValues values_;
  Bytes pixels_ = values_.bytes(kSamples * kInputs);
  std::string images_ = folder_.add("images", idx({kSamples, 2, 3}, pixels_));
  std::vector<Label> classes_ = values_.labels(kSamples, kClasses);
  std::string labels_ = folder_.add("labels", idx({kSamples}, Bytes(classes_.begin(), classes_.end())));
  NetworkSpec spec_ = multilayer_perceptron({kInputs, kHidden, kClasses});
  NetworkPlan plan_ = plan_network(spec_);
  std::vector<float> parameters_ = values_.uniform(static_cast<std::int64_t>(plan_.floats));
};

TEST_P(Predicting, GivesTheLogitsOfEachSampleInOrder) {
  const Network network(*backend_, plan_, parameters_);
  const Dataset samples(images_);
  Predictor predictor(*backend_, network, std::nullopt, samples, kBatch);
  for (int pass = 0; pass < 2; ++pass) {
    std::vector<float> logits;
    std::vector<std::int64_t> firsts;
    const auto metrics = predictor.run([&](std::int64_t first, std::span<const float> batch) {
      firsts.push_back(first);
      logits.insert(logits.end(), batch.begin(), batch.end());
    });
    EXPECT_EQ(firsts, (std::vector<std::int64_t>{0, 5, 10}));
    EXPECT_TRUE(all_close(logits, expected(), rounding_of(kInputs * kHidden)));
    EXPECT_EQ(metrics.batches, 0);
  }
}

TEST_P(Predicting, MeasuresTheLossOfAnEvaluation) {
  const Network network(*backend_, plan_, parameters_);
  const Dataset samples(images_, labels_);
  const Workspace workspace(*backend_, network, {.max_batch_size = kBatch});
  TorchGenerator generator(0);
  const auto evaluated = Evaluation(*backend_, workspace, Loss{}, samples, kBatch,
                                    plan_single_set(*backend_, samples, kBatch, Residency::kStream))
                             .run(generator);
  const auto metrics = Predictor(*backend_, network, Loss{}, samples, kBatch).run([](auto, auto) {});
  const auto result = result_of(metrics, samples.size());
  EXPECT_EQ(result.loss, evaluated->loss);
  EXPECT_EQ(result.correct, evaluated->correct);
}

INSTANTIATE_TEST_SUITE_P(Backends, Predicting, testing::ValuesIn(backend_names()), backend_name);

// Samples of 1.4 MB, two per chunk.
TEST(Predictor, GoesThroughAllChunks) {
  constexpr std::uint32_t kPixels = 1400000;
  const TemporaryFolder folder;
  Bytes pixels(5 * kPixels);
  for (std::size_t sample = 0; sample < 5; ++sample) pixels[sample * kPixels] = 255 * (sample % 2);
  const Dataset samples(folder.add("images", idx({5, kPixels}, pixels)));
  const auto backend = make_backend({.device = {DeviceChoice::Kind::kCpu}});
  const NetworkSpec spec = multilayer_perceptron({kPixels, 2});
  const auto plan = plan_network(spec);
  std::vector<float> parameters(plan.floats);
  parameters[linear_tensors(plan)[0].weight] = 3;
  const Network network(*backend, plan, parameters);
  std::vector<std::pair<std::int64_t, float>> seen;
  Predictor(*backend, network, std::nullopt, samples, 1)
      .run([&](std::int64_t first, std::span<const float> logits) { seen.emplace_back(first, logits[0]); });
  EXPECT_EQ(seen, (std::vector<std::pair<std::int64_t, float>>{{0, 0}, {1, 3}, {2, 0}, {3, 3}, {4, 0}}));
}

}  // namespace
}  // namespace warpfit::test
