#include "host/report/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "host/base/error.hpp"
#include "host/files/json.hpp"
#include "tests/support/file_size_limit.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

const std::string kHeader =
    "kind,epoch,step,seen,loss,learning_rate,gradient_norm,train_loss,train_correct,train_accuracy,"
    "validation_loss,validation_correct,validation_accuracy,test_loss,test_correct,test_accuracy,device,"
    "seconds,evaluation_seconds,samples_per_second\n";

LossReport step_report() {
  return {.loss = 2.298351F,
          .seen = 6400,
          .samples = 60'000,
          .epoch = 1,
          .step = 101,
          .learning_rate = 1e-3,
          .gradient_norm = 0.53F,
          .seconds = 0.125,
          .trained = 6464};
}
const std::string kStepJson =
    R"({"kind":"step","epoch":1,"step":101,"seen":6400,"loss":2.298351,"learning_rate":0.001,)"
    R"("gradient_norm":0.53,"seconds":0.125,"samples_per_second":51712})"
    "\n";
const std::string kStepCsv = "step,1,101,6400,2.298351,0.001,0.53,,,,,,,,,,,0.125,,51712\n";

EpochReport epoch_report() {
  return {.epoch = 2,
          .step = 1876,
          .learning_rate = 1e-10,
          .training = {.loss = 2.25, .correct = 15, .samples = 60},
          .validation = Result{.loss = 0.1, .correct = 1, .samples = 3},
          .test = {.loss = 1e22, .correct = 0, .samples = 10},
          .training_seconds = 1.5,
          .trained = 60,
          .evaluation_seconds = 0.0625};
}
const std::string kEpochJson =
    R"({"kind":"epoch","epoch":2,"step":1876,"learning_rate":1e-10,)"
    R"("train_loss":2.25,"train_correct":15,"train_accuracy":0.25,)"
    R"("validation_loss":0.1,"validation_correct":1,"validation_accuracy":0.3333333333333333,)"
    R"("test_loss":1e+22,"test_correct":0,"test_accuracy":0,)"
    R"row("device":"CPU (2 threads, oneDNN 2.6.3)","seconds":1.5,"evaluation_seconds":0.0625,)row"
    R"("samples_per_second":40})"
    "\n";
const std::string kEpochCsv =
    "epoch,2,1876,,,1e-10,,2.25,15,0.25,0.1,1,0.3333333333333333,1e+22,0,0,"
    "\"CPU (2 threads, oneDNN 2.6.3)\",1.5,0.0625,40\n";

class MetricsTest : public testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  std::unique_ptr<MetricsReport> report(MetricsSizes keep = {},
                                        const std::string& device = "CPU (2 threads, oneDNN 2.6.3)") const {
    auto report = std::make_unique<MetricsReport>(opened_, keep);
    report->run_started({.plan = {}, .data = "", .device = device, .options = ""});
    return report;
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    const Bytes bytes = read_file(path(name));
    return {bytes.begin(), bytes.end()};
  }
  void expect(const std::string& json_rows, const std::string& csv_rows) const {
    EXPECT_EQ(text("metrics.jsonl"), json_rows);
    EXPECT_EQ(text("metrics.csv"), kHeader + csv_rows);
  }

  TemporaryFolder folder_;
  Folder opened_{folder_.path().string()};
};

TEST_F(MetricsTest, WritesARowForEachStepAndEachEpoch) {
  auto metrics = report();
  expect("", "");
  metrics->loss(step_report());
  expect(kStepJson, kStepCsv);
  metrics->epoch_ended(epoch_report());
  expect(kStepJson + kEpochJson, kStepCsv + kEpochCsv);
  metrics->done();
  expect(kStepJson + kEpochJson, kStepCsv + kEpochCsv);
}

TEST_F(MetricsTest, LeavesOutWhatHasNoValue) {
  auto step = step_report();
  step.gradient_norm.reset();
  auto epoch = epoch_report();
  epoch.validation.reset();
  auto metrics = report();
  metrics->loss(step);
  metrics->epoch_ended(epoch);
  expect(R"({"kind":"step","epoch":1,"step":101,"seen":6400,"loss":2.298351,"learning_rate":0.001,)"
         R"("seconds":0.125,"samples_per_second":51712})"
         "\n"
         R"({"kind":"epoch","epoch":2,"step":1876,"learning_rate":1e-10,)"
         R"("train_loss":2.25,"train_correct":15,"train_accuracy":0.25,)"
         R"("test_loss":1e+22,"test_correct":0,"test_accuracy":0,)"
         R"row("device":"CPU (2 threads, oneDNN 2.6.3)","seconds":1.5,"evaluation_seconds":0.0625,)row"
         R"("samples_per_second":40})"
         "\n",
         "step,1,101,6400,2.298351,0.001,,,,,,,,,,,,0.125,,51712\n"
         "epoch,2,1876,,,1e-10,,2.25,15,0.25,,,,1e+22,0,0,"
         "\"CPU (2 threads, oneDNN 2.6.3)\",1.5,0.0625,40\n");
}

TEST_F(MetricsTest, MarksNumbersThatAreNotFinite) {
  auto metrics = report();
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    auto step = step_report();
    step.loss = bad;
    step.gradient_norm = bad;
    step.trained = 0;  // 0 / 0 samples per second
    step.seconds = 0;
    metrics->loss(step);
  }
  const std::string json =
      R"({"kind":"step","epoch":1,"step":101,"seen":6400,"loss":null,"learning_rate":0.001,)"
      R"("gradient_norm":null,"seconds":0,"samples_per_second":null})"
      "\n";
  const std::string csv = "step,1,101,6400,,0.001,,,,,,,,,,,,0,,\n";
  expect(json + json + json, csv + csv + csv);
}

// 0.1F is 0.100000001490116... as a double.
TEST_F(MetricsTest, WritesTheShortestTextOfAFloat) {
  auto metrics = report();
  for (const float loss : {0.1F, 1.0F, 16'777'216.0F, std::numeric_limits<float>::denorm_min(),
                           std::numeric_limits<float>::max()}) {
    auto step = step_report();
    step.loss = loss;
    metrics->loss(step);
  }
  const std::string json = text("metrics.jsonl");
  for (const std::string expected : {"0.1", "1", "16777216", "1e-45", "3.4028235e+38"})
    EXPECT_THAT(json, HasSubstr("\"loss\":" + expected + ",")) << json;
}

TEST_F(MetricsTest, WritesJsonThatItsParserReads) {
  const std::string device = "\"GPU\"\\\n\t\x01 \xC3\xA9";
  auto metrics = report({}, device);
  metrics->epoch_ended(epoch_report());
  const Json row = parse_json(text("metrics.jsonl"), "metrics.jsonl");
  const auto& members = std::get<Json::Object>(row.value);
  EXPECT_EQ(members.size(), 17U);
  EXPECT_EQ(std::get<std::string>(members.at("device").value), device);
  EXPECT_EQ(std::get<double>(members.at("validation_accuracy").value), 1.0 / 3);
}

TEST_F(MetricsTest, QuotesTheDeviceInCsvWhereItMust) {
  const auto written = [this](const std::string& device) {
    report({}, device)->epoch_ended(epoch_report());
    const std::string csv = text("metrics.csv");
    const auto begin = csv.find(",0,0,", kHeader.size()) + 5;
    return csv.substr(begin, csv.rfind(",1.5,") - begin);
  };
  EXPECT_EQ(written("CPU 2"), "CPU 2");
  EXPECT_EQ(written("a,b"), R"("a,b")");
  EXPECT_EQ(written(R"(a "b")"), R"("a ""b""")");
  EXPECT_EQ(written("a\nb"), "\"a\nb\"");
  EXPECT_EQ(written("a\rb"), "\"a\rb\"");
}

TEST_F(MetricsTest, GoesOnFromACheckpoint) {
  MetricsSizes saved;
  {
    auto metrics = report();
    metrics->loss(step_report());
    metrics->flush();
    saved = metrics->sizes();
    metrics->loss(step_report());
    metrics->epoch_ended(epoch_report());
  }
  EXPECT_EQ(saved.json, kStepJson.size());
  EXPECT_EQ(saved.csv, kHeader.size() + kStepCsv.size());
  auto metrics = report(saved);
  expect(kStepJson, kStepCsv);
  metrics->epoch_ended(epoch_report());
  expect(kStepJson + kEpochJson, kStepCsv + kEpochCsv);
}

TEST_F(MetricsTest, GoesOnFromACheckpointBeforeTheFirstRow) {
  MetricsSizes saved;
  {
    auto metrics = report();
    saved = metrics->sizes();
    metrics->loss(step_report());
  }
  report(saved)->loss(step_report());
  expect(kStepJson, kStepCsv);
}

TEST_F(MetricsTest, BeginsANewRunWithEmptyFiles) {
  report()->epoch_ended(epoch_report());
  report()->loss(step_report());
  expect(kStepJson, kStepCsv);
}

TEST_F(MetricsTest, BeginsAgainIfTheRowsOfTheCheckpointAreLost) {
  std::filesystem::remove(path("metrics.csv"));
  auto metrics = report({.json = 1, .csv = 1000});
  expect("", "");
  metrics->loss(step_report());
  expect(kStepJson, kStepCsv);
}

TEST_F(MetricsTest, NamesTheFileThatFails) {
  auto metrics = report();
  {
    const FileSizeLimit full(10);
    EXPECT_THAT([&] { metrics->loss(step_report()); },
                ThrowsMessage<IoError>(HasSubstr("metrics.jsonl: cannot write a row at byte 0")));
  }
  const FileSizeLimit full(kHeader.size() + 10);
  EXPECT_THAT([&] { metrics->loss(step_report()); },
              ThrowsMessage<IoError>(HasSubstr("metrics.csv: cannot write a row at byte ")));
}

// The error is reported at the start, not only after the first epoch.
TEST_F(MetricsTest, RefusesADeviceThatJsonCannotHold) {
  EXPECT_THAT(([this] { report({}, "GPU \xFF"); }),
              ThrowsMessage<ModelError>(HasSubstr(path("metrics.jsonl") + ": ")));
}

}  // namespace
}  // namespace warpfit::test
