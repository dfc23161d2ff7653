// --augment, --normalize and --tta: as text, and what a run makes of them.
#include "host/cli/input_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "host/base/error.hpp"
#include "host/files/safetensors_writer.hpp"
#include "host/model/model_file.hpp"
#include "host/stream/dataset.hpp"
#include "host/stream/dataset_files.hpp"
#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// What an option writes for a text, or the error.
template <class Field>
std::string written(Option (*option_of)(Field&), const std::string& text) {
  Field field;
  const auto option = option_of(field);
  try {
    option.set(text);
  } catch (const UsageError& error) {
    return error.what();
  }
  return option.get();
}

TEST(InputOptionTexts, AugmentationIsWrittenAsItIsRead) {
  const auto text = [](const std::string& given) { return written(augment_option, given); };
  for (const std::string given : {"", "shift:2", "shift:2:reflect", "flip", "flip:alternate", "erase:0.25",
                                  "cutout:8", "shift:1,flip,erase:1,cutout:3"})
    EXPECT_EQ(text(given), given);
  EXPECT_EQ(text("cutout:8,flip,shift:2"), "shift:2,flip,cutout:8");
  for (const std::string given : {"shift",
                                  "shift:0",
                                  "shift:-1",
                                  "shift:2:mirror",
                                  "shift:2:zeros:1",
                                  "shift:5000",
                                  "flip:2",
                                  "flip:random:1",
                                  "erase",
                                  "erase:0",
                                  "erase:1.1",
                                  "erase:nan",
                                  "erase:0.1:2",
                                  "cutout",
                                  "cutout:0",
                                  "cutout:3:reflect",
                                  "rotate:3",
                                  "flip,",
                                  ",flip",
                                  "flip,flip",
                                  "shift:1,shift:2",
                                  "erase:0.1,erase:0.2",
                                  "cutout:1,cutout:2",
                                  "flip flip"})
    EXPECT_THAT(text(given), HasSubstr("--augment " + given + ": '")) << given;
}

TEST(InputOptionTexts, NormalizationIsWrittenAsItIsRead) {
  const auto text = [](const std::string& given) {
    return written<NormalizationOptions>(normalize_option, given);
  };
  for (const std::string given : {"", "data", "0.5,0.25", "0.25,0.5,0.75,1,2,3"})
    EXPECT_EQ(text(given), given);
  for (const std::string given :
       {"0.5", "0.5,0", "0.5,-1", "0.5,0.5,0.5", "a,1", "nan,1", "1,inf", "1,,2", "Data"})
    EXPECT_THAT(text(given), HasSubstr("--normalize " + given + ": expected a mean and a standard deviation"))
        << given;
  EXPECT_THAT(written<std::vector<float>>(normalize_option, "data"), HasSubstr("expected a mean"));
}

TEST(InputOptionTexts, ViewsAreWrittenAsTheyAreRead) {
  const auto text = [](const std::string& given) { return written(test_views_option, given); };
  for (const std::string given : {"flip", "shift:1", "flip,shift:3"}) EXPECT_EQ(text(given), given);
  EXPECT_EQ(text("shift,flip"), "flip,shift:1");
  for (const std::string given : {"flips", "shift:0", "shift:1:2", "flip,flip", "shift,shift", "flip,"})
    EXPECT_THAT(text(given), HasSubstr("--tta " + given + ": '")) << given;
}

class InputRuns : public testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  // Trains on the sample data and saves the model under `name`.
  Outcome train(const std::string& name, std::vector<std::string> more) {
    std::vector<std::string> command{"train",     "--data",    sample_folder().string(),
                                     "--device",  "cpu",       "--threads",
                                     "1",         "--epochs",  "2",
                                     "--lr",      "0.1",       "--network",
                                     "784-16-10", "--shuffle", "--save",
                                     path(name)};
    command.insert(command.end(), more.begin(), more.end());
    auto outcome = run_warpfit(command);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
    return outcome;
  }

  std::vector<float> parameters(const std::string& name) { return load_model(path(name)).parameters; }

  // The outputs of the model for each sample of a file.
  std::vector<std::vector<double>> logits(const std::string& model, const std::string& images,
                                          std::vector<std::string> more = {}) {
    std::vector<std::string> command{"predict", model,       images,     "--scores", "logits",
                                     "--top-k", "10",        "--format", "jsonl",    "--device",
                                     "cpu",     "--threads", "1"};
    command.insert(command.end(), more.begin(), more.end());
    const auto run = run_warpfit(command);
    EXPECT_EQ(run.exit_code, 0) << run.error;
    std::vector<std::vector<double>> rows;
    std::istringstream lines(run.out);
    for (std::string line; std::getline(lines, line);) {
      const auto row = nlohmann::json::parse(line);
      std::vector<double> values(10);
      for (std::size_t i = 0; i < 10; ++i)
        values[row.at("classes").at(i).get<std::size_t>()] = row.at("logits").at(i);
      rows.push_back(std::move(values));
    }
    return rows;
  }

  TemporaryFolder folder_;
};

TEST_F(InputRuns, AugmentationDoesNotDependOnHowDataIsStored) {
  const std::string augment = "shift:2:reflect,flip:alternate,erase:0.3,cutout:5";
  train("streamed", {"--augment", augment, "--residency", "stream"});
  train("resident", {"--augment", augment, "--residency", "resident"});
  train("plain", {});
  EXPECT_EQ(parameters("streamed"), parameters("resident"));
  EXPECT_NE(parameters("streamed"), parameters("plain"));
}

TEST_F(InputRuns, ResumedRunsAugmentAsRunsThatWereNeverInterrupted) {
  const std::vector<std::string> options{"--augment", "shift:2,flip", "--normalize", "data"};
  train("whole", options);
  auto half = options;
  half.insert(half.end(), {"--run-dir", path("run"), "--checkpoint-every", "1steps"});
  // The run is cut after the first epoch.
  half.insert(half.end(), {"--epochs", "1"});
  train("half", half);
  const auto first = parameters("half");
  const auto resumed = run_warpfit({"resume", path("run"), "--epochs", "2"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.error;
  EXPECT_EQ(load_model(path("run/model.safetensors")).parameters, parameters("whole"));
  EXPECT_NE(first, parameters("whole"));
}

TEST_F(InputRuns, NormalizationIsPartOfTheModel) {
  const auto run = train("model", {"--normalize", "0.25,0.5"});
  const auto model = load_model(path("model"));
  EXPECT_EQ(model.info.normalization, (Normalization{1, {0.25F}, {0.5F}}));
  // The last evaluation of training and that of eval are the same.
  const auto evaluated = run_warpfit(
      {"eval", path("model"), "--data", sample_folder().string(), "--device", "cpu", "--threads", "1"});
  const auto last = run.out.substr(run.out.rfind("Accuracy: "));
  EXPECT_THAT(evaluated.out, testing::StartsWith(last.substr(0, last.find('%'))));
  train("plain", {});
  EXPECT_NE(parameters("plain"), parameters("model"));
  EXPECT_EQ(load_model(path("plain")).info.normalization.channels, 0);
  const auto refused =
      run_warpfit({"eval", path("model"), "--data", sample_folder().string(), "--normalize", "0,1"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.error, HasSubstr("which states how samples are normalized"));
}

TEST_F(InputRuns, StateDictsAreNormalizedAsAsked) {
  train("model", {"--normalize", "0.25,0.5"});
  const auto model = load_model(path("model"));
  write_safetensors(path("state_dict"), {}, parameter_tensors(model.info, model.parameters));
  const auto images = find_test_set(sample_folder().string(), {}).test_images;
  EXPECT_EQ(logits(path("state_dict"), images, {"--normalize", "0.25,0.5"}), logits(path("model"), images));
  EXPECT_NE(logits(path("state_dict"), images), logits(path("model"), images));
  EXPECT_NE(logits(path("state_dict"), images, {"--tta", "flip"}), logits(path("state_dict"), images));
}

TEST_F(InputRuns, OtherNormalizationOfTheFirstModelIsAWarning) {
  train("model", {"--normalize", "0.25,0.5"});
  const auto text = HasSubstr("was trained on samples that were normalized in another way");
  EXPECT_THAT(train("other", {"--init-from", path("model")}).error, text);
  EXPECT_THAT(train("same", {"--init-from", path("model"), "--normalize", "0.25,0.5"}).error, Not(text));
  EXPECT_THAT(run_warpfit({"export", path("model"), "--to", "npz", "--output", path("npz")}).error,
              HasSubstr("normalization of the samples: --normalize 0.25,0.5"));
}

TEST_F(InputRuns, ViewsAreMeansOfOutputs) {
  train("model", {"--normalize", "data"});
  // Two images, and each of them mirrored, moved up and left, and moved down and right.
  const std::int64_t size = 6;
  const auto image_of = [&](int number) {
    Bytes image;
    for (std::int64_t i = 0; i < 784; ++i)
      image.push_back(static_cast<std::uint8_t>(i % 28 * 9 + i / 28 * number * size));
    return image;
  };
  const auto moved = [](const Bytes& image, std::int64_t shift, bool flips) {
    Bytes result;
    const auto mirror = [](std::int64_t at) { return at < 0 ? -at : at > 27 ? 54 - at : at; };
    for (std::int64_t row = 0; row < 28; ++row) {
      for (std::int64_t column = 0; column < 28; ++column) {
        const auto from = mirror(column - shift);
        result.push_back(
            image[static_cast<std::size_t>(mirror(row - shift) * 28 + (flips ? 27 - from : from))]);
      }
    }
    return result;
  };
  const auto file_of = [&](const std::string& name, std::int64_t shift, bool flips) {
    Bytes all;
    for (const int number : {1, 3}) {
      const auto image = moved(image_of(number), shift, flips);
      all.insert(all.end(), image.begin(), image.end());
    }
    return folder_.add(name, idx({2, 28, 28}, all));
  };
  const auto images = file_of("images", 0, false);
  std::vector<std::vector<double>> expected(2, std::vector<double>(10));
  for (const bool flips : {false, true}) {
    for (const std::int64_t shift : {0, -2, 2}) {
      const auto rows = logits(path("model"), file_of("moved", shift, flips));
      ASSERT_EQ(rows.size(), 2U);
      for (std::size_t row = 0; row < 2; ++row) {
        for (std::size_t c = 0; c < 10; ++c) expected[row][c] += (shift == 0 ? 0.25 : 0.125) * rows[row][c];
      }
    }
  }
  const auto found = logits(path("model"), images, {"--tta", "flip,shift:2", "--batch-size", "1"});
  EXPECT_NE(found, logits(path("model"), images));
  for (std::size_t row = 0; row < 2; ++row) {
    for (std::size_t c = 0; c < 10; ++c) EXPECT_NEAR(found[row][c], expected[row][c], 1e-5);
  }
}

TEST_F(InputRuns, EvaluationCountsTheMeansOfViews) {
  train("model", {});
  const auto paths = find_test_set(sample_folder().string(), {});
  const Dataset samples(paths.test_images, paths.test_labels);
  const auto rows = logits(path("model"), paths.test_images, {"--tta", "flip"});
  ASSERT_EQ(std::ssize(rows), samples.size());
  double loss = 0;
  for (std::size_t n = 0; n < rows.size(); ++n) {
    double sum = 0;
    for (const double logit : rows[n]) sum += std::exp(logit);
    loss += (std::log(sum) - rows[n][samples.labels()[n]]) / static_cast<double>(rows.size());
  }
  const auto eval = [&](std::vector<std::string> more) {
    std::vector<std::string> command{"eval",         path("model"), "--data",    sample_folder().string(),
                                     "--device",     "cpu",         "--threads", "1",
                                     "--batch-size", "100",         "--json"};
    command.insert(command.end(), more.begin(), more.end());
    return nlohmann::json::parse(run_warpfit(command).out);
  };
  const auto plain = eval({});
  const auto flipped = eval({"--tta", "flip"});
  EXPECT_EQ(flipped["samples"], plain["samples"]);
  EXPECT_NEAR(flipped["loss"], loss, 1e-5);
  EXPECT_GT(std::abs(flipped["loss"].get<double>() - plain["loss"].get<double>()), 1e-3);
}

TEST_F(InputRuns, ImpossibleChangesAreRefusedBeforeTraining) {
  const auto refused = run_warpfit({"train", "--data", sample_folder().string(), "--augment", "shift:28"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.error,
              HasSubstr("--augment shift:28: expected fewer pixels than the height and the width"));
  EXPECT_THAT(refused.error, Not(HasSubstr("device:")));
}

}  // namespace
}  // namespace warpfit::test
