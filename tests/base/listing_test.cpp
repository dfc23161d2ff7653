#include "host/base/listing.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace warpfit::test {
namespace {

TEST(Listing, CountsWhatItLeavesOut) {
  const std::vector<int> items{1, 2, 3};
  EXPECT_EQ(listing(items, 3), "1, 2, 3");
  EXPECT_EQ(listing(items, 2), "1, 2 and 1 more");
  EXPECT_EQ(listing(std::vector<std::string>{"a"}, 5), "a");
}

}  // namespace
}  // namespace warpfit::test
