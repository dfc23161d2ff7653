// `warpfit predict` as its user sees it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "host/files/safetensors_writer.hpp"
#include "tests/support/program.hpp"
#include "tests/support/sanitizers.hpp"
#include "tests/support/saved_model.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;

class Predict : public testing::Test {
 protected:
  std::string output(const std::string& model, const std::string& images,
                     std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"predict", model, images, "--device", "cpu", "--quiet"});
    const auto run = run_warpfit(more);
    EXPECT_EQ(run.exit_code, 0) << run.error;
    EXPECT_EQ(run.error, "");
    return run.out;
  }

  std::string random_model(bool log_softmax) const {
    return add_model(folder_, "random",
                     {{.network = spec_, .sample_shape = {28, 28}, .log_softmax = log_softmax}, parameters_});
  }

  // The classes of a sample, ordered by their logits.
  [[nodiscard]] std::vector<int> ranking(std::size_t sample) const {
    std::vector<int> classes(10);
    std::iota(classes.begin(), classes.end(), 0);
    std::ranges::stable_sort(classes, std::ranges::greater(),
                             [&](int c) { return logits_[10 * sample + c]; });
    return classes;
  }

  [[nodiscard]] double log_sum(std::size_t sample) const {
    double sum = 0;
    for (std::size_t c = 0; c < 10; ++c) sum += std::exp(logits_[10 * sample + c]);
    return std::log(sum);
  }

  TemporaryFolder folder_;
  std::string images_ = (sample_folder() / "t10k-images-idx3-ubyte.gz").string();
  NetworkSpec spec_ = multilayer_perceptron({784, 6, 10});
  std::vector<float> parameters_ = random_parameters(spec_);
  Doubles logits_ = reference_logits(spec_, parameters_, Dataset(images_));
};

TEST_F(Predict, RanksClassesByWhatPlainLoopsGive) {
  std::istringstream lines(output(random_model(false), images_, {"--top-k", "3"}));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "index,class_1,probability_1,class_2,probability_2,class_3,probability_3");
  for (std::size_t sample = 0; sample < 100; ++sample) {
    std::getline(lines, line);
    std::vector<double> fields;
    std::istringstream row(line);
    for (std::string field; std::getline(row, field, ',');) fields.push_back(std::stod(field));
    ASSERT_EQ(fields.size(), 7U) << line;
    EXPECT_EQ(fields[0], static_cast<double>(sample));
    const auto classes = ranking(sample);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(fields[1 + 2 * i], classes[i]) << line;
      EXPECT_NEAR(fields[2 + 2 * i], std::exp(logits_[10 * sample + classes[i]] - log_sum(sample)), 5e-6);
    }
  }
  EXPECT_FALSE(std::getline(lines, line));
}

// A network that ends with LogSoftmax outputs log-probabilities.
TEST_F(Predict, GivesTheNetworksOwnOutputs) {
  for (const bool log_softmax : {false, true}) {
    std::istringstream lines(output(random_model(log_softmax), images_,
                                    {"--format", "jsonl", "--scores", "logits", "--top-k", "10"}));
    std::string line;
    for (std::size_t sample = 0; sample < 100; ++sample) {
      std::getline(lines, line);
      const auto row = nlohmann::json::parse(line);
      EXPECT_EQ(row["index"], sample);
      EXPECT_EQ(row["classes"], nlohmann::json(ranking(sample)));
      const auto& values = row[log_softmax ? "log_probabilities" : "logits"];
      ASSERT_EQ(values.size(), 10U) << line;
      for (std::size_t i = 0; i < 10; ++i) {
        const double logit = logits_[10 * sample + row["classes"][i].get<std::size_t>()];
        EXPECT_NEAR(values[i], log_softmax ? logit - log_sum(sample) : logit, 1e-4);
      }
    }
    EXPECT_FALSE(std::getline(lines, line));
  }
}

// exp(1) / (exp(1) + exp(0.4) + 1) and so on; of equal probabilities, the lower class comes first.
TEST_F(Predict, PrintsSixDecimalsAndTheLowerOfEqualClassesFirst) {
  const auto model = add_model(folder_, "model", brightest_pixel());
  const Bytes pixels = idx({2, 3}, {0, 102, 255, 51, 51, 51});
  const auto images = folder_.add("images", pixels);
  EXPECT_EQ(output(model, images), "index,class_1,probability_1\n0,2,0.521732\n1,0,0.333333\n");
  EXPECT_EQ(output(model, images, {"--format", "jsonl", "--top-k", "3"}),
            R"({"index":0,"classes":[2,1,0],"probabilities":[0.521732,0.286333,0.191935]})"
            "\n"
            R"({"index":1,"classes":[0,1,2],"probabilities":[0.333333,0.333333,0.333333]})"
            "\n");
  EXPECT_EQ(output(model, images, {"--scores", "logits", "--top-k", "2"}),
            "index,class_1,logit_1,class_2,logit_2\n0,2,1,1,0.4\n1,0,0.2,1,0.2\n");
  EXPECT_EQ(output(model, folder_.add("images.gz", gzip(pixels)), {"--batch-size", "1"}),
            output(model, images));
}

TEST_F(Predict, PrintsSmallProbabilitiesWithoutAnExponent) {
  auto sure = brightest_pixel();
  for (float& value : sure.parameters) value *= 20;
  EXPECT_EQ(output(add_model(folder_, "sure", sure), folder_.add("images", idx({1, 3}, {0, 102, 255})),
                   {"--format", "jsonl", "--top-k", "3"}),
            R"({"index":0,"classes":[2,1,0],"probabilities":[0.999994,0.000006,0.000000]})"
            "\n");
}

TEST_F(Predict, WarnsOfImagesUnlikeThoseOfTraining) {
  auto model = brightest_pixel();
  model.info.pixels = {.mean = 0.2, .deviation = 0.3};
  const auto path = add_model(folder_, "trained", model);
  const auto warnings = [&](const Bytes& pixels) {
    const auto images = folder_.add("images", idx({2, 3}, pixels));
    const auto run = run_warpfit({"predict", path, images, "--quiet"});
    EXPECT_EQ(run.exit_code, 0);
    return run.error;
  };
  EXPECT_EQ(warnings({0, 0, 255, 0, 128, 51}), "");
  EXPECT_THAT(
      warnings({255, 255, 0, 255, 127, 204}),
      HasSubstr("images: the pixels have a mean of 0.716 and a standard deviation of 0.367 (of 1), but " +
                path +
                " was trained on a mean of 0.200 and a standard deviation of 0.300; are black and "
                "white inverted?"));
  EXPECT_THAT(warnings({0, 0, 1, 0, 1, 0}), HasSubstr("are the pixels scaled differently?"));
}

TEST_F(Predict, TransposesImages) {
  const auto model = add_model(folder_, "model", brightest_pixel());
  const auto upright = folder_.add("upright", idx({1, 3, 1}, {0, 255, 0}));
  EXPECT_EQ(output(model, upright), output(model, upright, {"--transpose"}));
  const auto flat =
      run_warpfit({"predict", model, folder_.add("flat", idx({1, 3}, {0, 255, 0})), "--transpose"});
  EXPECT_EQ(flat.exit_code, 2);
  EXPECT_THAT(flat.error, HasSubstr("flat are 3, expected images of two dimensions, as in 28x28"));
}

// More rows than are buffered at a time, and a short last batch.
TEST_F(Predict, HasTheNamesOfTheClasses) {
  auto model = brightest_pixel();
  model.info.class_names = {"red", "a, \"b\"", "blue"};
  const auto path = add_model(folder_, "named", model);
  const auto images = folder_.add("three", idx({2, 3}, {0, 255, 0, 0, 0, 255}));
  const auto csv = output(path, images);
  EXPECT_TRUE(csv.starts_with("index,class_1,name_1,probability_1\n0,1,\"a, \"\"b\"\"\",")) << csv;
  EXPECT_NE(csv.find("\n1,2,blue,0."), std::string::npos) << csv;
  std::istringstream lines(output(path, images, {"--format", "jsonl", "--top-k", "3"}));
  std::string line;
  std::getline(lines, line);
  const auto row = nlohmann::json::parse(line);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(row["names"][i], model.info.class_names[row["classes"][i].get<std::size_t>()]);
}

TEST_F(Predict, WritesARowForEachOfManySamples) {
  const auto model = add_model(folder_, "model", brightest_pixel());
  Bytes pixels(30000);
  for (std::size_t sample = 0; sample < 10000; ++sample) pixels[3 * sample + sample % 3] = 255;
  std::istringstream lines(output(model, folder_.add("images", idx({10000, 3}, pixels))));
  std::string line;
  std::getline(lines, line);
  for (int sample = 0; sample < 10000; ++sample) {
    std::getline(lines, line);
    ASSERT_EQ(line, std::to_string(sample) + "," + std::to_string(sample % 3) + ",0.576117");
  }
  EXPECT_FALSE(std::getline(lines, line));
}

TEST_F(Predict, EndsWithTheDocumentedCodeOnMisuse) {
  const auto good = random_model(false);
  const auto infinite = add_model(
      folder_, "infinite", with_infinite_bias({{.network = spec_, .sample_shape = {784}}, parameters_}));
  const auto labels = (sample_folder() / "t10k-labels-idx1-ubyte.gz").string();
  const std::vector<std::tuple<std::vector<std::string>, int, std::string>> cases{
      {{}, 2, "no MODEL given"},
      {{good}, 2, "no IMAGES given; usage: warpfit predict MODEL IMAGES"},
      {{good, images_, "more"}, 2, "unexpected argument more"},
      {{good, images_, "--top-k", "11"}, 2, "--top-k 11: expected at most 10"},
      {{good, images_, "--top-k", "0"}, 2, "--top-k 0"},
      {{good, images_, "--format", "xml"}, 2, "expected one of csv, jsonl"},
      {{good, images_, "--scores", "odds"}, 2, "expected one of probabilities, logits"},
      {{add_model(folder_, "small", brightest_pixel()), images_}, 2, "3 inputs"},
      {{good, labels}, 3, labels},
      {{good, folder_.add("cut", idx({2, 28, 28}, Bytes(784)))}, 3, "cut"},
      {{folder_.add("text", {'n', 'o'}), images_}, 4, "text"},
      {{images_, good}, 4, images_},
      {{infinite, images_}, 4, "its output 1 for sample 0 of " + images_ + " is inf"},
      {{"missing", images_}, 5, "missing"},
      {{good, "missing"}, 5, "missing"},
  };
  for (auto [arguments, code, message] : cases) {
    arguments.insert(arguments.begin(), {"predict", "--device", "cpu"});
    const auto run = run_warpfit(arguments);
    EXPECT_EQ(run.exit_code, code) << testing::PrintToString(arguments) << run.error;
    EXPECT_NE(run.error.find(message), std::string::npos) << message << " is not in " << run.error;
    EXPECT_EQ(run.out, "");
  }
}

TEST_F(Predict, FailsWhereStandardOutputCannotBeWritten) {
  const auto command = program_path() + " predict --quiet " + random_model(false) + " " + images_;
  EXPECT_EQ(WEXITSTATUS(std::system((command + " >/dev/full 2>&1").c_str())), 5);
}

// The time is proportional to the number of tensors, and no line contains the whole network.
TEST_F(Predict, TakesAModelOfManyLayers) {
  constexpr std::size_t kLayers = kSanitized ? 6'000 : 60'000;
  std::vector<std::int64_t> widths(kLayers, 1);
  widths.push_back(2);
  Model model{{.network = multilayer_perceptron(widths), .sample_shape = {1}}, {}};
  model.parameters.assign(plan_of(model.info).floats, 1);
  const auto ours = add_model(folder_, "ours", model);
  const auto torch = (folder_.path() / "torch").string();
  write_safetensors(torch, {}, parameter_tensors(model.info, model.parameters));
  const auto images = folder_.add("images", idx({2, 1}, {0, 255}));
  for (const auto& path : {ours, torch}) {
    const auto run = run_warpfit({"predict", path, images, "--device", "cpu", "--threads", "1"});
    EXPECT_EQ(run.exit_code, 0) << run.error;
    EXPECT_EQ(run.out, "index,class_1,probability_1\n0,0,0.500000\n1,0,0.500000\n");
    EXPECT_LT(run.cpu_seconds, kSanitized ? 20 : 2) << path;
    EXPECT_LT(run.error.size(), 600U);
    const auto end = "-1-1-2, " + std::to_string(plan_of(model.info).parameters()) + " parameters\n";
    EXPECT_NE(run.error.find(end), std::string::npos) << run.error.substr(0, 6'000);
  }
}

}  // namespace
}  // namespace warpfit::test
