#include "host/run/whitening.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "host/backend/pixel_transform_formula.hpp"
#include "host/base/error.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/files.hpp"
#include "tests/support/random.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::size_t kRows = 5, kColumns = 4, kChannels = 2, kKernel = 2;
constexpr std::size_t kPatch = kChannels * kKernel * kKernel;

// Images of two channels.
class Whitening : public testing::Test {
 protected:
  Dataset dataset(std::uint32_t samples) {
    bytes_ = values_.bytes(samples * kChannels * kRows * kColumns);
    for (std::size_t i = 0; i < bytes_.size(); ++i)
      bytes_[i] = static_cast<std::uint8_t>(bytes_[i] / (1 + i % 3));
    const auto images = folder_.add("images", idx({samples, kChannels, kRows, kColumns}, bytes_));
    return {
        images, folder_.add("labels", idx({samples}, Bytes(samples))), {.channels = ChannelOrder::kFirst}};
  }

  static NetworkPlan plan_of(const std::string& conv) {
    return plan_network(parse_network(conv + ",linear(2)"), {kChannels, kRows, kColumns});
  }

  // The mean of f f' over the patches of the first samples, where f are the outputs of the first filters.
  [[nodiscard]] std::vector<double> products(std::size_t samples, std::size_t filters,
                                             std::span<const float> weight,
                                             const Normalization& normalization) const {
    std::vector<double> sums(filters * filters);
    std::size_t count = 0;
    for (std::size_t sample = 0; sample < samples; ++sample) {
      for (std::size_t y = 0; y + kKernel <= kRows; ++y) {
        for (std::size_t x = 0; x + kKernel <= kColumns; ++x, ++count) {
          std::vector<double> outputs(filters);
          for (std::size_t k = 0; k < filters * kPatch; ++k) {
            const auto channel = k % kPatch / 4, row = k % 4 / 2, column = k % 2;
            const auto at = ((sample * kChannels + channel) * kRows + y + row) * kColumns + x + column;
            outputs[k / kPatch] += double{weight[k]} * double{value_of(normalization, bytes_[at],
                                                                       static_cast<std::int64_t>(channel))};
          }
          for (std::size_t k = 0; k < sums.size(); ++k)
            sums[k] += outputs[k / filters] * outputs[k % filters];
        }
      }
    }
    for (auto& sum : sums) sum /= static_cast<double>(count);
    return sums;
  }

  TestValues values_;
  TemporaryFolder folder_;
  Bytes bytes_;
};

// The outputs are uncorrelated. With eigenvalue l and e = 0.0005 their second moment is l / (l + e), and the
// squared length of the filter is 1 / (l + e).
TEST_F(Whitening, MakesOutputsUncorrelated) {
  const auto images = dataset(30);
  for (const auto& normalization : {Normalization{}, Normalization{2, {0.5F, 0.25F}, {0.25F, 2}}}) {
    for (const std::size_t filters : {kPatch, std::size_t{3}}) {
      const auto plan = plan_of("conv(" + std::to_string(2 * filters) + ",2,stride=2,padding=1,init=whiten)");
      std::vector<float> parameters(plan.floats, 7);
      whiten_first_layer(plan, images, normalization, parameters);
      const auto weight = plan.tensors[0].in(std::span<const float>(parameters));
      const auto found = products(30, filters, weight, normalization);
      double last = INFINITY;
      for (std::size_t i = 0; i < filters; ++i) {
        double squares = 0, largest = 0;
        for (const double w : weight.subspan(i * kPatch, kPatch)) {
          squares += w * w;
          if (std::abs(w) > std::abs(largest)) largest = w;
        }
        const double eigenvalue = 1 / squares - 5e-4;
        EXPECT_GT(eigenvalue, 0);
        EXPECT_LT(eigenvalue, last);
        EXPECT_GT(largest, 0);
        last = eigenvalue;
        for (std::size_t j = 0; j < filters; ++j)
          EXPECT_NEAR(found[i * filters + j], i == j ? eigenvalue * squares : 0, 1e-4) << i << ", " << j;
        for (std::size_t j = 0; j < kPatch; ++j)
          EXPECT_EQ(weight[(filters + i) * kPatch + j], -weight[i * kPatch + j]);
      }
      for (auto i = plan.tensors[1].offset; i < parameters.size(); ++i) ASSERT_EQ(parameters[i], 7);
    }
  }
}

TEST_F(Whitening, ReadsTheFirstSamplesOfTheTrainingSet) {
  const auto images = dataset(5002);
  const auto plan = plan_of("conv(4,2,init=whiten)");
  const auto whitened = [&](const Subset& samples) {
    std::vector<float> parameters(plan.floats);
    whiten_first_layer(plan, samples, Normalization{}, parameters);
    return parameters;
  };
  EXPECT_EQ(whitened(images), whitened({images, 0, 5000}));
  EXPECT_NE(whitened(images), whitened({images, 0, 4999}));
  EXPECT_NE(whitened(images), whitened({images, 1, 5001}));
}

TEST_F(Whitening, IsForLayersThatAskForIt) {
  const auto images = dataset(2);
  for (const char* network : {"conv(4,2)", "conv(4,2,init=dirac)", "relu", "linear(3)"}) {
    const auto plan = plan_of(network);
    std::vector<float> parameters(plan.floats, 7);
    whiten_first_layer(plan, images, Normalization{}, parameters);
    EXPECT_EQ(parameters, std::vector<float>(plan.floats, 7)) << network;
  }
  const auto plan = plan_of("conv(4,5,padding=1,init=whiten)");
  std::vector<float> parameters(plan.floats);
  EXPECT_THAT(
      [&] { whiten_first_layer(plan, images, Normalization{}, parameters); },
      ThrowsMessage<UsageError>(HasSubstr(
          "conv(4,5,padding=1,init=whiten): init=whiten needs samples of at least 5 x 5 pixels, but they are "
          "2x5x4")));
}

}  // namespace
}  // namespace warpfit::test
