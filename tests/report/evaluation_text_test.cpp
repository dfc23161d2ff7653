#include "host/report/evaluation_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace warpfit::test {
namespace {

std::string matrix(const Confusion& confusion) {
  const auto text = evaluation_text({0, 64, confusion});
  const std::string title = "predicted)\n";
  return text.substr(text.find(title) + title.size());
}

TEST(EvaluationText, HasColumnsAsWideAsTheLargestCount) {
  Confusion confusion(2);
  for (int i = 0; i < 12'345; ++i) confusion.add(0, 1);
  confusion.add(1, 1);
  EXPECT_EQ(matrix(confusion),
            "          0     1\n"
            "    0     0 12345\n"
            "    1     0     1\n");
}

TEST(EvaluationText, HasColumnsAsWideAsTheHighestClass) {
  Confusion confusion(11);
  confusion.add(9, 10);
  const auto text = matrix(confusion);
  EXPECT_THAT(text, testing::StartsWith("       0  1  2  3  4  5  6  7  8  9 10\n"));
  EXPECT_THAT(text, testing::HasSubstr("    9  0  0  0  0  0  0  0  0  0  0  1\n"));
}

TEST(EvaluationText, LeavesTheMatrixOfManyClassesOut) {
  Confusion confusion(1001);
  confusion.add(1000, 1000);
  confusion.add(999, 1000);
  const auto text = evaluation_text({0, 64, confusion});
  EXPECT_THAT(text, testing::StartsWith("Accuracy: 50.0% (1 of 2)"));
  EXPECT_THAT(text, testing::HasSubstr("\n 1000     0.5000     1.0000     0.6667          1\n"));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("confusion")));
  EXPECT_THAT(evaluation_json({0, 64, confusion}), testing::HasSubstr(R"(,"confusion":null})"));
  EXPECT_TRUE(Confusion(1000).has_matrix());
}

TEST(EvaluationText, HasTheNamesOfTheClasses) {
  Confusion confusion(2);
  confusion.add(0, 0);
  const std::vector<std::string> names{"T-shirt/top", "a \"bag\""};
  const auto text = evaluation_text({0, 64, confusion, names});
  EXPECT_THAT(text, testing::HasSubstr("         1  T-shirt/top\n"));
  EXPECT_THAT(text, testing::HasSubstr("         0  a \"bag\"\n"));
  EXPECT_THAT(evaluation_json({0, 64, confusion, names}),
              testing::HasSubstr(R"({"class":1,"name":"a \"bag\"","precision")"));
  EXPECT_THAT(evaluation_json({0, 64, confusion}), testing::HasSubstr(R"({"class":1,"precision")"));
}

}  // namespace
}  // namespace warpfit::test
