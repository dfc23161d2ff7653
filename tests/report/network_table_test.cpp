#include "host/report/network_table.hpp"

#include <gtest/gtest.h>

namespace warpfit::test {
namespace {

TEST(NetworkTable, HasShapesParametersAndFlop) {
  const auto plan = plan_network(
      parse_network("batchnorm,maxpool(3,2,1),linear(16,bias=false),relu,linear(10)"), {3, 8, 8});
  EXPECT_EQ(network_table(plan),
            "layer                  output  parameters  FLOP\n"
            "batchnorm               3x8x8           6     0\n"
            "maxpool(3,2,1)          3x4x4           0     0\n"
            "flatten                    48           0     0\n"
            "linear(16,bias=false)      16         768  1536\n"
            "relu                       16           0     0\n"
            "linear(10)                 10         170   320\n"
            "sum                                   944  1856\n");
}

}  // namespace
}  // namespace warpfit::test
