#include "host/model/initializer.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "host/model/network_spec.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/linear_tensors.hpp"

namespace warpfit::test {
namespace {

std::string sha256(std::span<const float> values) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(values.data(), values.size_bytes(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    std::array<char, 3> byte{};
    std::snprintf(byte.data(), byte.size(), "%02x", digest[i]);
    text += byte.data();
  }
  return text;
}

class InitialParameters : public testing::TestWithParam<std::string> {};

TEST_P(InitialParameters, ArePyTorchsBitForBit) {
  const auto golden = read_golden(GetParam());
  const auto plan = plan_network(parse_network(golden.network));
  TorchGenerator generator(golden.seed);
  const auto values = initial_parameters(plan, generator);
  ASSERT_EQ(golden.initial.size(), 2 * linear_tensors(plan).size());
  for (std::size_t i = 0; i < golden.initial.size(); ++i) {
    const auto layer = linear_tensors(plan)[i / 2];
    const auto tensor = i % 2 == 0 ? std::span(values).subspan(layer.weight, layer.weight_size())
                                   : std::span(values).subspan(layer.bias, layer.bias_size());
    EXPECT_EQ(tensor.front(), golden.initial[i].first);
    EXPECT_EQ(tensor.back(), golden.initial[i].last);
    EXPECT_EQ(sha256(tensor), golden.initial[i].sha256);
  }
}

// The values of a convolution's weight and of all parameters after it, drawn with seed 3.
std::pair<std::vector<float>, std::vector<float>> drawn(const std::string& conv) {
  const auto plan = plan_network(parse_network(conv + ",linear(3)"), {4, 6, 6});
  TorchGenerator generator(3);
  const auto values = initial_parameters(plan, generator);
  const auto& weight = plan.tensors.front();
  return {{values.begin(), values.begin() + static_cast<std::ptrdiff_t>(weight.size)},
          {values.begin() + static_cast<std::ptrdiff_t>(plan.tensors[1].offset), values.end()}};
}

// As torch.nn.init.dirac_(w[:w.size(1)]) after the default initialization: filter i is 1 in the middle of
// channel i.
TEST(InitialConvolution, IsDirac) {
  for (const auto& [arguments, filters, channels, window, center] : {std::tuple{"6,3", 4U, 4U, 9U, 4U},
                                                                     {"3,3", 3U, 4U, 9U, 4U},
                                                                     {"6,2", 4U, 4U, 4U, 3U},
                                                                     {"6,4,groups=2", 2U, 2U, 16U, 10U}}) {
    SCOPED_TRACE(arguments);
    const auto [usual, usual_rest] = drawn(std::string("conv(") + arguments + ")");
    const auto [weight, rest] = drawn(std::string("conv(") + arguments + ",init=dirac)");
    auto expected = usual;
    std::fill_n(expected.begin(), filters * channels * window, 0.0F);
    for (std::size_t i = 0; i < filters; ++i) expected[(i * channels + i) * window + center] = 1;
    EXPECT_EQ(weight, expected);
    EXPECT_EQ(rest, usual_rest);
  }
}

TEST(InitialConvolution, IsTheUsualOneUntilItIsWhitened) {
  EXPECT_EQ(drawn("conv(6,3,init=whiten)"), drawn("conv(6,3)"));
}

INSTANTIATE_TEST_SUITE_P(Goldens, InitialParameters, testing::ValuesIn(golden_names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace warpfit::test
