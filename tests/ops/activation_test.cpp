#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "host/model/network_spec.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/files.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {
namespace {

constexpr std::array<std::int64_t, 8> kSizes{1, 3, 7, 31, 32, 33, 1000, 300'001};

// Activations as separate operations, which are used if they cannot be fused with a linear layer.
class ActivationPass : public OnEachBackend {
 protected:
  std::vector<float> forward(const Activation& activation, const std::vector<float>& values) {
    const auto size = static_cast<std::int64_t>(values.size());
    const GuardedFloats x(*backend_, values);
    const GuardedFloats y(*backend_, size);
    const auto op = backend_->prepare(ActivationOperation{activation}, 1);
    run_once(
        *backend_, [&] { op->forward(Mode::kTrain, {.x = x.matrix(1, size), .y = y.matrix(1, size)}); },
        one_batch(1));
    return y.values();
  }

  std::vector<float> backward(const Activation& activation, const std::vector<float>& values,
                              const std::vector<float>& gradients) {
    const auto size = static_cast<std::int64_t>(values.size());
    const GuardedFloats x(*backend_, values);
    const GuardedFloats dy(*backend_, gradients);
    const GuardedFloats dx(*backend_, size);
    const auto op = backend_->prepare(ActivationOperation{activation}, 1);
    run_once(
        *backend_,
        [&] {
          op->backward_input({.x = x.matrix(1, size), .dy = dy.matrix(1, size), .dx = dx.matrix(1, size)});
        },
        one_batch(1));
    return dx.values();
  }
};

TEST_P(ActivationPass, ReluCutsAtZeroAtEverySize) {
  for (const auto size : kSizes) {
    SCOPED_TRACE(testing::Message() << size << " values");
    TestValues values;
    const auto x = values.integers(size);
    const auto dy = values.integers(size);
    Doubles y;
    Doubles dx;
    for (std::size_t i = 0; i < x.size(); ++i) {
      y.push_back(std::max(x[i], 0.0F));
      dx.push_back(x[i] > 0 ? dy[i] : 0);
    }
    EXPECT_TRUE(all_equal(forward({ActivationKind::kRelu}, x), y));
    EXPECT_TRUE(all_equal(backward({ActivationKind::kRelu}, x, dy), dx));
  }
}

TEST_P(ActivationPass, KeepsNan) {
  const std::vector<float> nan(5, std::numeric_limits<float>::quiet_NaN());
  for (const float value : forward({ActivationKind::kRelu}, nan)) EXPECT_TRUE(std::isnan(value)) << value;
}

// Values and gradients, from 0 to the point where exp overflows (tests/goldens/activations).
TEST_P(ActivationPass, IsPyTorchs) {
  std::ifstream file(source_folder() / "tests/goldens/activations/pytorch_2.15.jsonl");
  int activations = 0;
  for (std::string line; std::getline(file, line); ++activations) {
    const auto golden = nlohmann::json::parse(line);
    SCOPED_TRACE(golden["text"].get<std::string>());
    const auto network = parse_network(golden["text"].get<std::string>());
    const auto activation = std::get<Activation>(network.layers.front());
    const auto x = golden["x"].get<std::vector<float>>();
    constexpr Tolerance kTolerance{2e-6, 2e-6};
    EXPECT_TRUE(all_close(forward(activation, x), golden["y"].get<Doubles>(), kTolerance));
    EXPECT_TRUE(all_close(backward(activation, x, golden["dy"].get<std::vector<float>>()),
                          golden["dx"].get<Doubles>(), kTolerance));
  }
  EXPECT_EQ(activations, 9);
}

INSTANTIATE_TEST_SUITE_P(Backends, ActivationPass, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
