#include "host/model/initializer.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <cstdio>
#include <span>
#include <string>

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

INSTANTIATE_TEST_SUITE_P(Goldens, InitialParameters, testing::ValuesIn(golden_names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace warpfit::test
