#include "host/model/network_spec.hpp"

#include <gtest/gtest.h>

#include "host/base/error.hpp"
#include "host/model/parameter_layout.hpp"

namespace warpfit {
namespace {

TEST(NetworkSpec, ReadsWidths) {
  const auto spec = parse_network("784-512-512-10");
  EXPECT_EQ(spec.widths, (std::vector<std::int64_t>{784, 512, 512, 10}));
  EXPECT_EQ(spec.parameters(), 669'706);
  EXPECT_EQ(spec.text(), "784-512-512-10");
  EXPECT_EQ(parse_network("4-2").layers(), 1U);
}

TEST(NetworkSpec, RefusesWhatIsNoNetwork) {
  for (const char* text :
       {"", "784", "784-", "-784-10", "784--10", "784-x-10", "784-0-10", "784-+5-10", "784 -10", "784-10.",
        "784-1", "99999999999999999999-10", "16777217-10", "16777216-16777216-2"}) {
    EXPECT_THROW(parse_network(text), UsageError) << '"' << text << '"';
  }
}

TEST(ParameterLayout, PlacesEachTensorAt128BytesWithoutOverlap) {
  const ParameterLayout layout(parse_network("7-5-3"));
  std::size_t end = 0;
  for (const auto& layer : layout.layers()) {
    EXPECT_EQ(layer.weight % 32, 0U);
    EXPECT_EQ(layer.bias % 32, 0U);
    EXPECT_GE(layer.weight, end);
    EXPECT_GE(layer.bias, layer.weight + layer.weight_size());
    end = layer.bias + layer.bias_size();
  }
  EXPECT_GE(layout.size(), end);
}

}  // namespace
}  // namespace warpfit
