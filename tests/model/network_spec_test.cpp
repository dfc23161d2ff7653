#include "host/model/network_spec.hpp"

#include <gtest/gtest.h>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

TEST(NetworkSpec, ReadsWidths) {
  const auto spec = parse_network("784-512-512-10");
  const std::vector<Layer> layers{Linear{512}, Activation{}, Linear{512}, Activation{}, Linear{10}};
  EXPECT_EQ(spec.layers, layers);
  EXPECT_EQ(spec.inputs, 784);
  EXPECT_EQ(spec.text(), "784-512-512-10");
  EXPECT_EQ(parse_network("4-2").layers, std::vector<Layer>{Linear{2}});
}

TEST(NetworkSpec, RefusesWhatIsNoNetwork) {
  for (const char* text :
       {"", "784", "784-", "-784-10", "784--10", "784-x-10", "784-0-10", "784-+5-10", "784 -10", "784-10.",
        "784-1", "99999999999999999999-10", "16777217-10", "16777216-16777216-2"}) {
    EXPECT_THROW(parse_network(text), UsageError) << '"' << text << '"';
  }
}

TEST(NetworkSpec, PutsDropoutAfterEachActivation) {
  const auto spec = multilayer_perceptron({4, 3, 3, 2});
  const std::vector<Layer> layers{Linear{3},    Activation{},   Dropout{0.25F}, Linear{3},
                                  Activation{}, Dropout{0.25F}, Linear{2}};
  EXPECT_EQ(with_dropout(spec, 0.25F).layers, layers);
  EXPECT_EQ(with_dropout(spec, 0), spec);
}

}  // namespace
}  // namespace warpfit
