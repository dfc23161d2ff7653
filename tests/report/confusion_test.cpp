#include "host/report/confusion.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace warpfit::test {
namespace {

// Computed by hand; rows are the true classes:
//
//      0 1 2 3
//   0  3 1 0 0     precision 3/4, recall 3/4, f1 6/8
//   1  1 0 0 0     precision 0/1, recall 0/1, f1 0
//   2  0 0 2 0     precision 2/5, recall 2/2, f1 4/7
//   3  0 0 3 0     never predicted: precision 0
//   4              no samples, never predicted: all 0
Confusion example() {
  Confusion confusion(5);
  for (const auto& [label, predicted] :
       {std::pair{0, 0}, {0, 0}, {0, 0}, {0, 1}, {1, 0}, {2, 2}, {2, 2}, {3, 2}, {3, 2}, {3, 2}}) {
    confusion.add(label, predicted);
  }
  return confusion;
}

TEST(Confusion, CountsWhatWasTakenForWhat) {
  const auto confusion = example();
  EXPECT_EQ(confusion.classes(), 5);
  EXPECT_EQ(confusion.samples(), 10);
  EXPECT_EQ(confusion.correct(), 5);
  EXPECT_EQ(confusion.count(0, 0), 3);
  EXPECT_EQ(confusion.count(0, 1), 1);
  EXPECT_EQ(confusion.count(1, 0), 1);
  EXPECT_EQ(confusion.count(3, 2), 3);
  EXPECT_EQ(confusion.count(2, 3), 0);
  EXPECT_EQ(confusion.support(0), 4);
  EXPECT_EQ(confusion.support(3), 3);
  EXPECT_EQ(confusion.support(4), 0);
}

void expect_scores(const ClassScores& scores, double precision, double recall, double f1) {
  EXPECT_DOUBLE_EQ(scores.precision, precision);
  EXPECT_DOUBLE_EQ(scores.recall, recall);
  EXPECT_DOUBLE_EQ(scores.f1, f1);
}

TEST(Confusion, ScoresEachClass) {
  const auto confusion = example();
  expect_scores(confusion.scores(0), 0.75, 0.75, 0.75);
  expect_scores(confusion.scores(1), 0, 0, 0);
  expect_scores(confusion.scores(2), 0.4, 1, 4.0 / 7);
}

TEST(Confusion, GivesZeroWhereNothingCanBeDivided) {
  const auto confusion = example();
  expect_scores(confusion.scores(3), 0, 0, 0);
  expect_scores(confusion.scores(4), 0, 0, 0);
}

TEST(Confusion, AveragesOverAllClasses) {
  expect_scores(example().macro_average(), (0.75 + 0.4) / 5, 1.75 / 5, (0.75 + 4.0 / 7) / 5);
}

}  // namespace
}  // namespace warpfit::test
