// Losses compared with PyTorch's (tests/goldens/losses): the losses of single outputs, and cross-entropy with
// class weights. Their shapes, predictions and handling of values that are not finite are tested in
// mean_squared_error_test and softmax_cross_entropy_test.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/files.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {
namespace {

const std::map<std::string, LossKind> kKinds{{"mse", LossKind::kMse},
                                             {"l1", LossKind::kL1},
                                             {"smooth-l1", LossKind::kSmoothL1},
                                             {"huber", LossKind::kHuber},
                                             {"bce-with-logits", LossKind::kBceWithLogits},
                                             {"multi-margin", LossKind::kMultiMargin},
                                             {"cross-entropy", LossKind::kCrossEntropy},
                                             {"nll", LossKind::kNll}};

using ElementwiseLoss = OnEachBackend;

TEST_P(ElementwiseLoss, IsPyTorchs) {
  std::ifstream file(source_folder() / "tests/goldens/losses/pytorch_2.15.jsonl");
  int losses = 0;
  for (std::string line; std::getline(file, line); ++losses) {
    const auto golden = nlohmann::json::parse(line);
    SCOPED_TRACE(line.substr(0, 60));
    const Loss loss{.kind = kKinds.at(golden["loss"]),
                    .label_smoothing = golden.value("smoothing", 0.0F),
                    .beta = golden.value("beta", 1.0F),
                    .delta = golden.value("delta", 1.0F),
                    .margin = golden.value("margin", 1.0F),
                    .class_weights = golden.value("weights", std::vector<float>())};
    const auto outputs = golden["outputs"].get<std::vector<float>>();
    const auto labels = golden["labels"].get<std::vector<Label>>();
    const auto rows = static_cast<std::int64_t>(labels.size());
    const auto classes = static_cast<std::int64_t>(outputs.size()) / rows;
    const GuardedFloats y(*backend_, outputs);
    const GuardedFloats dy(*backend_, rows * classes);
    const Buffer<Label> answers(*backend_, labels);
    const Buffer<Metrics> metrics(*backend_, std::vector<Metrics>(1));
    const auto op = backend_->prepare(loss, classes, rows);
    run_once(
        *backend_,
        [&] { op->add(y.matrix(rows, classes), answers.view(), dy.matrix(rows, classes), metrics.data()); },
        one_batch(rows));
    const auto value = golden["value"].get<double>();
    EXPECT_NEAR(metrics.to_host().front().last_loss, value, 1e-6 * value);
    EXPECT_TRUE(all_close(dy.values(), golden["gradient"].get<Doubles>(), {1e-8, 1e-6}));
  }
  EXPECT_EQ(losses, 13);
}

// Parts of a batch, one of them empty, whose losses are divided by the divisor of the whole batch: their
// losses add up to that of the batch, and their gradients are those of the batch.
TEST_P(ElementwiseLoss, IsTheSumOfItsParts) {
  const std::vector<Label> labels{2, 0, 1, 1, 2, 0, 1};
  const std::vector<float> weights{0.5F, 2, 1.25F};
  constexpr std::int64_t kClasses = 3;
  const auto outputs = TestValues().uniform(7 * kClasses, 2);
  for (const auto& [name, kind] : kKinds) {
    const bool weighted = kind == LossKind::kCrossEntropy || kind == LossKind::kNll;
    const Loss loss{.kind = kind, .class_weights = weighted ? weights : std::vector<float>()};
    SCOPED_TRACE(name);
    const Buffer<Label> answers(*backend_, labels);
    const GuardedFloats y(*backend_, outputs);
    const auto run = [&](const std::vector<std::int64_t>& parts, double divisor) {
      const GuardedFloats dy(*backend_, 7 * kClasses);
      const Buffer<Metrics> metrics(*backend_, std::vector<Metrics>(1));
      double sum = 0;
      std::int64_t first = 0;
      for (const auto rows : parts) {
        const auto op = backend_->prepare(loss, kClasses, rows);
        auto batch = one_batch(rows);
        batch.loss_divisor = divisor;
        const auto part = [&](const GuardedFloats& values) {
          return Matrix{values.matrix(7, kClasses).data + first * kClasses, rows, kClasses};
        };
        run_once(
            *backend_,
            [&] {
              op->add(part(y),
                      answers.view().subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(rows)),
                      part(dy), metrics.data());
            },
            batch);
        sum += metrics.to_host().front().last_loss;
        first += rows;
      }
      EXPECT_EQ(metrics.to_host().front().batches, std::ssize(parts));
      return std::pair(sum, dy.values());
    };
    double divisor = 0;
    for (const auto label : labels) divisor += weighted ? weights[label] : 1;
    const auto [whole, gradient] = run({7}, 0);
    const auto [sum, gradients] = run({3, 0, 2, 2}, divisor);
    EXPECT_NEAR(sum, whole, 1e-6);
    EXPECT_EQ(gradients, gradient);
  }
}

// One of four outputs is NaN: the one of the label, or another one.
TEST_P(ElementwiseLoss, KeepsNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const auto& [name, kind] : kKinds) {
    for (const std::size_t index : {1U, 2U}) {
      SCOPED_TRACE(testing::Message() << name << ", output " << index);
      std::vector<float> outputs{0, 1, 2, 3};
      outputs[index] = nan;
      const Buffer<float> y(*backend_, outputs);
      const Buffer<Label> labels(*backend_, std::vector<Label>{2});
      const Buffer<Metrics> metrics(*backend_, std::vector<Metrics>(1));
      const auto op = backend_->prepare(Loss{.kind = kind}, 4, 1);
      run_once(
          *backend_,
          [&] {
            op->add({y.data(), 1, 4}, labels.view(), {}, metrics.data());
          },
          one_batch(1));
      EXPECT_EQ(metrics.to_host().front().non_finite, 1);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, ElementwiseLoss, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
