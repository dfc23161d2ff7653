#include "host/base/byte_size.hpp"

#include <gtest/gtest.h>

namespace warpfit::test {
namespace {

TEST(ByteSize, ReadsBytesAndUnits) {
  EXPECT_EQ(parse_byte_size("1"), 1);
  EXPECT_EQ(parse_byte_size("1500"), 1500);
  EXPECT_EQ(parse_byte_size("512K"), 512 << 10);
  EXPECT_EQ(parse_byte_size("64M"), 64 << 20);
  EXPECT_EQ(parse_byte_size("2G"), std::int64_t{2} << 30);
  EXPECT_EQ(parse_byte_size("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
}

TEST(ByteSize, RefusesAllElse) {
  for (const char* text : {"", "0", "0M", "-1", "K", "1.5G", "64m", "64MB", "64 M", " 64", "+1", "1e9", "nan",
                           "9223372036854775808", "9007199254740992K", "8589934592G"}) {
    EXPECT_FALSE(parse_byte_size(text)) << text;
  }
}

TEST(ByteSize, WritesTheShortestText) {
  for (const char* text : {"1", "1500", "512K", "64M", "2G", "1025K", "4096G", "9223372036854775807"}) {
    EXPECT_EQ(byte_size_text(*parse_byte_size(text)), text);
  }
  EXPECT_EQ(byte_size_text(2048), "2K");
}

}  // namespace
}  // namespace warpfit::test
