#include "host/model/frozen_parameters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/base/error.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class FrozenParameters : public testing::Test {
 protected:
  NetworkPlan plan_ = plan_network(parse_network("linear(4),batchnorm,residual(linear(4)),linear(3)"), {6});

  std::vector<std::string> frozen_by(const std::vector<std::string>& patterns) {
    auto plan = plan_;
    freeze(plan, patterns);
    std::vector<std::string> names;
    for (const auto& tensor : plan.tensors) {
      if (!tensor.requires_grad) names.push_back(tensor.name);
    }
    return names;
  }
};

TEST_F(FrozenParameters, AreThoseThatAPatternMatches) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(frozen_by({}), Names());
  EXPECT_EQ(frozen_by({"1.weight"}), Names{"1.weight"});
  EXPECT_EQ(frozen_by({"2.*", "0.bias"}), (Names{"0.bias", "2.0.weight", "2.0.bias"}));
  EXPECT_EQ(frozen_by({"*.bias", "*.bias"}), (Names{"0.bias", "1.bias", "2.0.bias", "3.bias"}));
}

TEST_F(FrozenParameters, AreCounted) {
  EXPECT_EQ(frozen_parameters(plan_), 0);
  freeze(plan_, {"1.weight", "2.0.weight"});
  EXPECT_EQ(frozen_parameters(plan_), 4 + 16);
}

TEST_F(FrozenParameters, AreRefusedWhereAPatternMatchesNothing) {
  EXPECT_THAT(
      [&] {
        freeze(plan_, {"0.weight", "4.weight"});
      },
      ThrowsMessage<UsageError>(
          HasSubstr("--freeze 4.weight: no parameter has a matching name; the names are 0.weight, "
                    "0.bias, 1.weight, 1.bias, 2.0.weight, 2.0.bias, 3.weight, 3.bias")));
  // Running statistics are no parameters.
  EXPECT_THROW(freeze(plan_, {"1.running_mean"}), UsageError);
}

TEST_F(FrozenParameters, AreNotAll) {
  EXPECT_NO_THROW(frozen_by({"?.*t", "?.0.*"}));
  EXPECT_THAT([&] { freeze(plan_, {"*"}); },
              ThrowsMessage<UsageError>(HasSubstr("--freeze: all parameters of the network are frozen")));
}

}  // namespace
}  // namespace warpfit::test
