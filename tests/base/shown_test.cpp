#include "host/base/shown.hpp"

#include <gtest/gtest.h>

namespace warpfit::test {
namespace {

TEST(ShownTest, LeavesTextAsItIs) {
  for (const auto* text : {"", "1.weight", "ä 😀 \u00a0"}) EXPECT_EQ(shown(text), text);
  EXPECT_EQ(shown(std::string(80, 'a')), std::string(80, 'a'));
}

TEST(ShownTest, TakesOutWhatATerminalObeys) {
  EXPECT_EQ(shown("a\x1b[2J\n\t\x7f z"), "a?[2J??? z");
  EXPECT_EQ(shown("\u009b2J\u0080\u009f"), "??2J????");
}

TEST(ShownTest, CutsLongTextBetweenLetters) {
  EXPECT_EQ(shown(std::string(81, 'a')), std::string(80, 'a') + "...");
  EXPECT_EQ(shown(std::string(79, 'a') + "ä"), std::string(79, 'a') + "...");
  EXPECT_EQ(shown(std::string(77, 'a') + "😀"), std::string(77, 'a') + "...");
  EXPECT_EQ(shown(std::string(76, 'a') + "😀b"), std::string(76, 'a') + "😀...");
}

}  // namespace
}  // namespace warpfit::test
