// `warpfit eval` as its user sees it.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "host/model/initializer.hpp"
#include "host/run/make_backend.hpp"
#include "host/stream/dataset_files.hpp"
#include "host/train/trainer.hpp"
#include "tests/support/linear_tensors.hpp"
#include "tests/support/program.hpp"
#include "tests/support/saved_model.hpp"

namespace warpfit::test {
namespace {

class Eval : public testing::Test {
 protected:
  static std::vector<std::string> on(const std::string& model, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"eval",     model, "--data",    sample_folder().string(),
                                       "--device", "cpu", "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  static nlohmann::json json_of(const std::vector<std::string>& arguments) {
    const auto run = run_warpfit(arguments);
    EXPECT_EQ(run.exit_code, 0) << run.error;
    return nlohmann::json::parse(run.out);
  }

  TemporaryFolder folder_;
  DatasetPaths paths_ = find_test_set(sample_folder().string(), {});
  Dataset samples_{paths_.test_images, paths_.test_labels};
};

TEST_F(Eval, CountsAndScoresWhatPlainLoopsGive) {
  const NetworkSpec spec = multilayer_perceptron({784, 6, 10});
  const auto parameters = random_parameters(spec);
  const auto path = add_model(folder_, "model", {{.network = spec, .sample_shape = {28, 28}}, parameters});
  const auto logits = reference_logits(spec, parameters, samples_);
  std::vector<std::vector<int>> counts(10, std::vector<int>(10));
  std::vector<double> losses;
  for (std::size_t sample = 0; sample < 100; ++sample) {
    const auto* const row = logits.data() + 10 * sample;
    const auto label = samples_.labels()[sample];
    ++counts[label][static_cast<std::size_t>(std::max_element(row, row + 10) - row)];
    double sum = 0;
    for (int c = 0; c < 10; ++c) sum += std::exp(row[c]);
    losses.push_back(std::log(sum) - row[label]);
  }
  double first = 0;
  double second = 0;  // batches of 64 and 36
  for (std::size_t sample = 0; sample < 100; ++sample) (sample < 64 ? first : second) += losses[sample];
  const double loss = (first / 64 + second / 36) / 2;

  const auto found = json_of(on(path, {"--json"}));
  EXPECT_EQ(found["confusion"], nlohmann::json(counts));
  EXPECT_NEAR(found["loss"], loss, 1e-5 * loss);
  EXPECT_EQ(found["samples"], 100);
  EXPECT_EQ(found["batch_size"], 64);
  int correct = 0;
  double macro_recall = 0;
  for (std::size_t c = 0; c < 10; ++c) {
    int support = 0;
    int predicted = 0;
    for (std::size_t other = 0; other < 10; ++other) {
      support += counts[c][other];
      predicted += counts[other][c];
    }
    correct += counts[c][c];
    const auto& scores = found["classes"][c];
    EXPECT_EQ(scores["class"], c);
    EXPECT_EQ(scores["support"], support);
    EXPECT_EQ(scores["precision"], predicted == 0 ? 0.0 : static_cast<double>(counts[c][c]) / predicted);
    EXPECT_EQ(scores["recall"], static_cast<double>(counts[c][c]) / support);
    EXPECT_EQ(scores["f1"], 2.0 * counts[c][c] / (support + predicted));
    macro_recall += static_cast<double>(counts[c][c]) / support / 10;
  }
  EXPECT_EQ(found["correct"], correct);
  EXPECT_EQ(found["accuracy"], correct / 100.0);
  EXPECT_DOUBLE_EQ(found["macro"]["recall"], macro_recall);

  const double whole = (first + second) / 100;
  EXPECT_NEAR(json_of(on(path, {"--json", "--batch-size", "1000"}))["loss"], whole, 1e-5 * whole);
}

// oneDNN writes its log to standard output.
TEST_F(Eval, PrintsNothingOfALibrarysLog) {
  const auto path = add_model(folder_, "model",
                              {{.network = multilayer_perceptron({784, 6, 10}), .sample_shape = {28, 28}},
                               random_parameters(multilayer_perceptron({784, 6, 10}))});
  const auto arguments = on(path, {"--json"});
  const auto plain = run_warpfit(arguments, {"DNNL_VERBOSE=0", "ONEDNN_VERBOSE=0"});
  for (const char* variable : {"DNNL_VERBOSE=1", "ONEDNN_VERBOSE=1", "ONEDNN_VERBOSE=2"}) {
    EXPECT_EQ(run_warpfit(arguments, {variable}).out, plain.out) << variable;
  }
}

class LastEpoch final : public Report {
 public:
  void epoch_ended(const EpochReport& report) override { test = report.test; }

  Result test;
};

// For both kinds of models that training saves, the results are bit-identical to those of training. The last
// batch of the 100 samples has 36, 100 or 1 samples.
TEST_F(Eval, GivesWhatTrainingGaveLast) {
  const auto backend = make_backend({.device = {DeviceChoice::Kind::kCpu}, .threads = 1});
  const auto paths = find_dataset(sample_folder().string(), {});
  const Dataset training_set(paths.train_images, paths.train_labels);
  for (const auto& [kind, batch_size] : {std::pair{LossKind::kCrossEntropy, 64},
                                         {LossKind::kNll, 64},
                                         {LossKind::kCrossEntropy, 100},
                                         {LossKind::kCrossEntropy, 33},
                                         {LossKind::kCrossEntropy, 99}}) {
    Model model{{.network = multilayer_perceptron({784, 32, 10}), .sample_shape = {28, 28}}, {}};
    model.info.log_softmax = kind == LossKind::kNll;
    const auto plan = plan_of(model.info);
    TorchGenerator generator(0);
    Network network(*backend, plan, initial_parameters(plan, generator));
    LastEpoch last;
    TrainOptions options;
    options.epochs = 2;
    options.batch_size = batch_size;
    options.learning_rate = 0.5;
    options.loss.kind = kind;
    Trainer(*backend, network, {training_set, std::nullopt, samples_}, options, generator, last).run();
    model.parameters = network.parameters().to_host();
    const auto path = add_model(folder_, "trained", model);

    const std::vector<std::string> same_batches{"--batch-size", std::to_string(batch_size)};
    auto as_json = same_batches;
    as_json.emplace_back("--json");
    EXPECT_EQ(json_of(on(path, as_json))["loss"], last.test.loss) << batch_size;
    const auto line = fmt::format("Accuracy: {:.1f}% ({} of 100), Avg loss: {:>8f}\n",
                                  100 * last.test.accuracy(), last.test.correct, last.test.loss);
    EXPECT_EQ(run_warpfit(on(path, same_batches)).out.substr(0, line.size()), line) << batch_size;
  }
}

// Class 0 is predicted as 0 and as 1; class 1 as 1; class 2 as 0. With one logit of 1 and all others 0, the
// loss is log(e + 2) - 1 if the logit of 1 belongs to the label, and log(e + 2) otherwise.
TEST_F(Eval, PrintsATableOfTheClasses) {
  const auto path = add_model(folder_, "model", brightest_pixel());
  const auto images = folder_.add("images", idx({4, 3}, {255, 0, 0, 0, 255, 0, 0, 255, 0, 255, 0, 0}));
  const auto labels = folder_.add("labels", idx({4}, {0, 0, 1, 2}));
  const auto run = run_warpfit(
      {"eval", path, "--test-images", images, "--test-labels", labels, "--device", "cpu", "--quiet"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.error, "");
  EXPECT_EQ(run.out,
            "Accuracy: 50.0% (2 of 4), Avg loss: 1.051445\n"
            "\n"
            "class  precision     recall         f1    support\n"
            "    0     0.5000     0.5000     0.5000          2\n"
            "    1     0.5000     1.0000     0.6667          1\n"
            "    2     0.0000     0.0000     0.0000          1\n"
            "macro     0.3333     0.5000     0.3889          4\n"
            "\n"
            "confusion (rows: true class, columns: predicted)\n"
            "      0 1 2\n"
            "    0 1 1 0\n"
            "    1 0 1 0\n"
            "    2 1 0 0\n");
}

TEST_F(Eval, TakesTheFirstOfEqualLogits) {
  auto model = brightest_pixel();
  std::ranges::fill(model.parameters, 0.0F);
  const auto path = add_model(folder_, "model", model);
  const auto images = folder_.add("images", idx({1, 3}, {255, 0, 255}));
  const auto labels = folder_.add("labels", idx({1}, {2}));
  const auto found = json_of({"eval", path, "--test-images", images, "--test-labels", labels, "--json"});
  EXPECT_EQ(found["confusion"][2], nlohmann::json({1, 0, 0}));
}

TEST_F(Eval, EndsWithTheDocumentedCodeOnMisuse) {
  const auto good = add_model(folder_, "good",
                              {{.network = multilayer_perceptron({784, 10}), .sample_shape = {784}},
                               random_parameters(multilayer_perceptron({784, 10}))});
  const auto with = [&](const std::string& name, const NetworkSpec& spec) {
    return add_model(folder_, name,
                     {{.network = spec, .sample_shape = {*spec.inputs}}, random_parameters(spec)});
  };
  const auto infinite =
      add_model(folder_, "infinite",
                with_infinite_bias({{.network = multilayer_perceptron({784, 10}), .sample_shape = {784}},
                                    random_parameters(multilayer_perceptron({784, 10}))}));
  // Finite outputs with differences that overflow.
  Model huge{{.network = multilayer_perceptron({784, 10}), .sample_shape = {784}}, {}};
  const auto plan = plan_of(huge.info);
  huge.parameters.resize(plan.floats);
  for (std::size_t c = 0; c < 10; ++c)
    huge.parameters[linear_tensors(plan)[0].bias + c] = c == 0 ? 3e38F : -3e38F;
  const auto data = sample_folder().string();
  const std::string images = sample_folder() / "t10k-images-idx3-ubyte.gz";
  const std::vector<std::tuple<std::vector<std::string>, int, std::string>> cases{
      {{"eval"}, 2, "no MODEL given; usage: warpfit eval MODEL"},
      {{"eval", good}, 2, "name the folder of the data set with --data"},
      {{"eval", good, "more", "--data", data}, 2, "unexpected argument more"},
      {on(good, {"--batch-size", "0"}), 2, "--batch-size 0"},
      {{"eval", good, "--data", data, "--device", "tpu"}, 2, "tpu"},
      {on(with("small", multilayer_perceptron({783, 10}))), 2,
       "783 inputs (783-10), but the samples of " + images + " have 784 values (28x28)"},
      {on(with("few", multilayer_perceptron({784, 9}))), 3, "expected labels below 9"},
      {on(folder_.add("text", {'n', 'o'})), 4, "text"},
      {on(infinite), 4, "its output 1 for sample 0 of " + images + " is inf"},
      {on(add_model(folder_, "huge", huge)), 4,
       "its loss on " + images + " is inf, expected a finite number"},
      {on("missing"), 5, "missing"},
      {{"eval", good, "--data", folder_.path().string()}, 5, "no t10k-images-idx3-ubyte"},
      {{"eval", good, "--data", data, "--device", "cuda:99"}, 6, "cuda"},
  };
  for (const auto& [arguments, code, message] : cases) {
    const auto run = run_warpfit(arguments);
    EXPECT_EQ(run.exit_code, code) << testing::PrintToString(arguments) << run.error;
    EXPECT_NE(run.error.find(message), std::string::npos) << message << " is not in " << run.error;
    EXPECT_EQ(run.out, "");
  }
}

}  // namespace
}  // namespace warpfit::test
