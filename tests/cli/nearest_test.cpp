#include "host/cli/nearest.hpp"

#include <gtest/gtest.h>

#include <array>

namespace warpfit {
namespace {

constexpr std::array<std::string_view, 4> kKnown{"--epochs", "--batch-size", "--lr", "--log-every"};

TEST(Nearest, FindsTheWordThatWasMeant) {
  EXPECT_EQ(nearest("--epoch", kKnown), "--epochs");
  EXPECT_EQ(nearest("--batchsize", kKnown), "--batch-size");
  EXPECT_EQ(nearest("--log-evrey", kKnown), "--log-every");
  EXPECT_EQ(nearest("--lr", kKnown), "--lr");
}

TEST(Nearest, GivesNothingWhereNoWordIsNear) {
  EXPECT_EQ(nearest("--something-else", kKnown), "");
  EXPECT_EQ(nearest("", kKnown), "");
  EXPECT_EQ(nearest("--epochs", {}), "");
}

}  // namespace
}  // namespace warpfit
