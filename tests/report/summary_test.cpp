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
  EXPECT_EQ(summary.text({}), "");
  for (const auto& [number, correct] : {std::pair{1, 100}, {2, 180}, {3, 190}})
    summary.epoch_ended(epoch(number, correct));
  EXPECT_THAT(summary.text({.epoch = 2, .value = 1}),
              testing::MatchesRegex("best epoch by test loss: 2 .loss 1.000000, accuracy 90.0%.; 3 epochs in "
                                    "[0-9.e+-]+ s, 2000 training samples/s"));
  EXPECT_THAT(
      summary.text({.epoch = 3, .value = 0.95, .is_accuracy = true}),
      testing::StartsWith("best epoch by test accuracy: 3 (loss 1.000000, accuracy 95.0%); 3 epochs in "));
}

TEST(Summary, GoesByTheValidationSetIfThereIsOne) {
  Summary summary;
  auto report = epoch(4, 100);
  report.validation = Result{.loss = 2, .correct = 3, .samples = 4};
  summary.epoch_ended(report);
  EXPECT_THAT(
      summary.text({.epoch = 4, .value = 2, .is_validation = true}),
      testing::StartsWith("best epoch by validation loss: 4 (loss 2.000000, accuracy 75.0%); 1 epoch in "));
}

// A resumed run whose best epoch was before the resumption.
TEST(Summary, SaysOnlyWhatIsKnownOfAnEpochOfAnotherProcess) {
  Summary summary;
  EXPECT_EQ(summary.text({.epoch = 2, .value = 0.5}), "best epoch by test loss: 2 (loss 0.500000)");
  summary.epoch_ended(epoch(4, 100));
  EXPECT_THAT(summary.text({.epoch = 2, .value = 0.5, .is_accuracy = true}),
              testing::StartsWith("best epoch by test accuracy: 2 (accuracy 50.0%); 1 epoch in "));
}

}  // namespace
}  // namespace warpfit::test
