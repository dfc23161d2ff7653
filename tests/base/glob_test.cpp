#include "host/base/glob.hpp"

#include <gtest/gtest.h>

#include <string>

namespace warpfit::test {
namespace {

TEST(Glob, MatchesTheWholeText) {
  EXPECT_TRUE(matches_glob("0.weight", "0.weight"));
  EXPECT_FALSE(matches_glob("0.weight", "10.weight"));
  EXPECT_FALSE(matches_glob("0.weight", "0.weights"));
  EXPECT_FALSE(matches_glob("0.weights", "0.weight"));
  EXPECT_FALSE(matches_glob("0_weight", "0.weight"));
  EXPECT_TRUE(matches_glob("", ""));
  EXPECT_FALSE(matches_glob("", "a"));
}

TEST(Glob, MatchesAnyCharactersWithAnAsterisk) {
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("*", "3.0.bias"));
  EXPECT_TRUE(matches_glob("*.bias", "3.0.bias"));
  EXPECT_FALSE(matches_glob("*.bias", "bias"));
  EXPECT_FALSE(matches_glob("*.bias", "3.bias.weight"));
  EXPECT_TRUE(matches_glob("3.*", "3.0.bias"));
  EXPECT_TRUE(matches_glob("3.*.bias", "3.0.bias"));
  EXPECT_FALSE(matches_glob("3.*.bias", "3.bias"));
  EXPECT_TRUE(matches_glob("3**s", "3s"));
}

// The first "ab" is not the one that the rest of the pattern follows.
TEST(Glob, TriesEveryLengthOfWhatAnAsteriskMatches) {
  EXPECT_TRUE(matches_glob("*abc", "ababc"));
  EXPECT_TRUE(matches_glob("a*b*c", "abcbcac"));
  EXPECT_FALSE(matches_glob("a*b*c", "abcbcab"));
  EXPECT_FALSE(matches_glob(std::string(30, '*') + "b", std::string(5000, 'a')));  // in a moment
}

TEST(Glob, MatchesOneCharacterWithAQuestionMark) {
  EXPECT_TRUE(matches_glob("?.weight", "1.weight"));
  EXPECT_FALSE(matches_glob("?.weight", "10.weight"));
  EXPECT_FALSE(matches_glob("?.weight", ".weight"));
  EXPECT_TRUE(matches_glob("*?.weight", "10.weight"));
  EXPECT_FALSE(matches_glob("a?", "a"));
}

}  // namespace
}  // namespace warpfit::test
