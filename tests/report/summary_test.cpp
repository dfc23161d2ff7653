#include "host/report/summary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace warpfit::test {
namespace {

EpochReport epoch(std::int64_t number, std::int64_t correct) {
  EpochReport report;
  report.epoch = number;
  report.test = {.loss = 1, .correct = correct, .samples = 200};
  report.trained = 1000;
  report.training_seconds = 0.5;
  return report;
}

TEST(Summary, NamesTheBestEpoch) {
  Summary summary;
  EXPECT_EQ(summary.text(), "");
  for (const auto& [number, correct] : {std::pair{1, 100}, {2, 180}, {3, 170}})
    summary.epoch_ended(epoch(number, correct));
  EXPECT_THAT(summary.text(),
              testing::MatchesRegex("best test accuracy 90.0% in epoch 2; 3 epochs in [0-9.e+]+ s, "
                                    "2000 training samples/s"));
}

TEST(Summary, GoesByTheValidationSetIfThereIsOne) {
  Summary summary;
  auto report = epoch(4, 100);
  report.validation = Result{.loss = 1, .correct = 3, .samples = 4};
  summary.epoch_ended(report);
  EXPECT_THAT(summary.text(), testing::StartsWith("best validation accuracy 75.0% in epoch 4; 1 epoch in "));
}

}  // namespace
}  // namespace warpfit::test
