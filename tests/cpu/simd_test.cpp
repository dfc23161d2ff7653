// Each operation with an element-wise loop gives bit-identical results at every SIMD level of this processor.
#include "host/cpu/simd.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <functional>
#include <vector>

#include "host/cpu/bias_gradient.hpp"
#include "host/cpu/dropout.hpp"
#include "host/cpu/elementwise_loss.hpp"
#include "host/cpu/gradient_clipping.hpp"
#include "host/cpu/optimizer.hpp"
#include "host/cpu/pixels.hpp"
#include "host/cpu/relu.hpp"
#include "host/cpu/sgd.hpp"
#include "host/cpu/softmax_cross_entropy.hpp"
#include "tests/support/random.hpp"

namespace warpfit::cpu::test {
namespace {

using Floats = std::vector<float>;
using warpfit::test::TestValues;

constexpr std::int64_t kSizes[] = {1, 7, 15, 16, 17, 31, 33, 1001, 20'003};

class SimdLevels : public testing::Test {
 protected:
  ~SimdLevels() override { simd_level() = best_simd_level(); }

  // Compares the values that `operation` returns.
  static std::vector<std::uint32_t> bits(SimdLevel level, const std::function<Floats()>& operation) {
    simd_level() = level;
    std::vector<std::uint32_t> result;
    for (const float value : operation()) result.push_back(std::bit_cast<std::uint32_t>(value));
    return result;
  }

  static void expect_same_bits(const std::function<Floats()>& operation) {
    const auto expected = bits(SimdLevel::kBaseline, operation);
    for (const auto level : {SimdLevel::kAvx2, SimdLevel::kAvx512}) {
      if (level > best_simd_level()) continue;
      EXPECT_TRUE(bits(level, operation) == expected) << "level " << static_cast<int>(level);
    }
  }

  // Values of all magnitudes, including zeros and subnormal numbers. No NaN: an operation on two NaNs may
  // return either of them.
  static Floats values(std::int64_t size) {
    TestValues source;
    auto values = source.uniform(size);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i % 11 == 3) values[i] *= 1e-20F;
      if (i % 11 == 5) values[i] *= 1e-40F;
      if (i % 11 == 7) values[i] = i % 2 == 0 ? 0.0F : -0.0F;
      if (i % 11 == 9) values[i] *= 1e6F;
    }
    return values;
  }

  ThreadPool pool_{2};
};

// Parameters and moments after three steps.
Floats optimized(ThreadPool& pool, const Optimizer& optimizer, const Floats& gradients) {
  const auto size = gradients.size();
  TestValues source;
  Floats all = source.uniform(static_cast<std::int64_t>(size));
  all.resize(size * (1 + kMaxMoments));
  OptimizerProgress progress;
  OptimizerViews views{Vector(all.data(), size), gradients, {}, &progress};
  const auto kept = moments_of(optimizer);
  for (std::size_t i = 0; i < kMaxMoments; ++i) {
    if (kept[i]) views.moments[i] = Vector(all.data() + size * (1 + i), size);
  }
  for (int step = 0; step < 3; ++step) optimizer_update(pool, optimizer, views, 0.01F);
  return all;
}

TEST_F(SimdLevels, OptimizersAgree) {
  const std::vector<Optimizer> optimizers{
      Sgd{.weight_decay = 0.1F},
      Sgd{.momentum = 0.9F, .dampening = 0.5F, .weight_decay = 0.1F},
      Sgd{.momentum = 0.9F, .nesterov = true},
      Adam{.weight_decay = 0.1F},
      Adam{.weight_decay = 0.1F, .decoupled = true},
      Adam{.beta2 = 0.5, .amsgrad = true},
      Rmsprop{.weight_decay = 0.1F},
      Rmsprop{.momentum = 0.5F},
      Rmsprop{.alpha = 0.5F, .eps = 0.01F, .momentum = 0.5F, .centered = true},
      Adagrad{.weight_decay = 0.1F},
  };
  for (std::size_t i = 0; i < optimizers.size(); ++i) {
    for (const auto size : kSizes) {
      SCOPED_TRACE(testing::Message() << "optimizer " << i << ", " << size << " parameters");
      expect_same_bits([&] { return optimized(pool_, optimizers[i], values(size)); });
    }
  }
}

TEST_F(SimdLevels, GradientClippingAgrees) {
  for (const auto size : kSizes) {
    SCOPED_TRACE(testing::Message() << size << " gradients");
    expect_same_bits([&] {
      auto gradients = values(size);
      GradientNorm norm;
      clip_gradient_norm(pool_, 0.1F, gradients, norm);
      for (const double part : norm.parts) {  // split into halves, so that all bits are compared
        const auto halves = std::bit_cast<std::array<float, 2>>(part);
        gradients.insert(gradients.end(), halves.begin(), halves.end());
      }
      gradients.push_back(norm.norm);
      return gradients;
    });
    expect_same_bits([&] {
      auto gradients = values(size);
      clip_gradient_value(pool_, 0.25F, gradients);
      return gradients;
    });
  }
}

TEST_F(SimdLevels, ActivationsAgree) {
  for (const auto size : kSizes) {
    SCOPED_TRACE(testing::Message() << size << " values");
    const auto x = values(size);
    const Part<const float> input{x.data(), 1, size, size};
    expect_same_bits([&] {
      Floats y(x.size());
      relu_forward(input, {y.data(), 1, size, size});
      return y;
    });
    expect_same_bits([&] {
      Floats dx(x.size(), 2);
      relu_backward(input, {dx.data(), 1, size, size});
      return dx;
    });
  }
}

TEST_F(SimdLevels, DropoutAgrees) {
  for (const auto size : kSizes) {
    SCOPED_TRACE(testing::Message() << size << " values");
    expect_same_bits([&] {
      auto x = values(size);
      dropout(pool_, {.p = 0.3F, .seed = 0x987654321, .layer = 2}, 5, 0, {x.data(), 1, size});
      return x;
    });
  }
}

TEST_F(SimdLevels, LossesAgree) {
  constexpr std::int64_t kRows = 5;
  for (const std::int64_t classes : {2, 10, 16, 33, 200}) {
    SCOPED_TRACE(testing::Message() << classes << " classes");
    const auto outputs = TestValues().uniform(kRows * classes, 30);
    const auto labels = TestValues().labels(kRows, static_cast<int>(classes));
    const auto gradients_of = [&](auto loss) {
      return [&outputs, loss, classes] {
        Floats gradients(outputs.size() + kRows);
        Metrics metrics{};
        loss({outputs.data(), kRows, classes}, Matrix{gradients.data(), kRows, classes},
             Vector(gradients).last(kRows), metrics);
        gradients.push_back(metrics.last_loss);
        return gradients;
      };
    };
    expect_same_bits(gradients_of([&](ConstMatrix logits, Matrix gradients, Vector losses, Metrics& metrics) {
      softmax_cross_entropy(pool_, logits, labels, {.label_smoothing = 0.1F}, gradients, losses, metrics);
    }));
    std::vector<float> weights(static_cast<std::size_t>(classes), 0.5F);
    weights.front() = 2;
    const Loss weighted{.label_smoothing = 0.1F, .class_weights = weights};
    expect_same_bits(gradients_of([&](ConstMatrix logits, Matrix gradients, Vector losses, Metrics& metrics) {
      softmax_cross_entropy(pool_, logits, labels, weighted, gradients, losses, metrics);
    }));
    expect_same_bits(gradients_of([&](ConstMatrix values, Matrix gradients, Vector losses, Metrics& metrics) {
      elementwise_loss(pool_, {LossKind::kMse}, values, labels, gradients, losses, metrics);
    }));
  }
}

TEST_F(SimdLevels, BiasGradientsAgree) {
  for (const std::int64_t columns : {1, 16, 33, 127, 128, 129, 300}) {
    SCOPED_TRACE(testing::Message() << columns << " columns");
    const auto dy = values(37 * columns);
    const Part<const float> part{dy.data(), 37, columns, columns};
    expect_same_bits([&] {
      Floats db(static_cast<std::size_t>(columns));
      bias_gradient(part, db);
      return db;
    });
    expect_same_bits([&] {
      Floats b(static_cast<std::size_t>(columns), 1);
      bias_sgd(part, 0.1F, b);
      return b;
    });
  }
}

TEST_F(SimdLevels, SgdAndPixelsAgree) {
  for (const auto size : kSizes) {
    SCOPED_TRACE(testing::Message() << size << " values");
    expect_same_bits([&] {
      Floats w(static_cast<std::size_t>(size), 1);
      sgd_update(pool_, w, values(size), 0.1F);
      return w;
    });
    PixelTransform plain{.image = {1, 1, size}};
    auto normalized = plain;
    normalized.normalization = {1, {0.3F}, {0.7F}};
    auto moved = normalized;
    moved.view = {.flips = true, .down = 0, .right = size / 5};
    for (const auto& transform : {plain, normalized, moved}) {
      expect_same_bits([&] {
        TestValues source;
        const auto pixels = source.bytes(size);
        Floats x(pixels.size());
        BatchRun run;
        run.samples = {pixels.data(), nullptr, 1, size};
        load_samples(pool_, transform, run, {x.data(), 1, size});
        return x;
      });
    }
  }
}

}  // namespace
}  // namespace warpfit::cpu::test
