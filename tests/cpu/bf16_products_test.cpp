// Matrix products of bf16 values compared with sums in double precision, on processors with bf16
// instructions.
#include <gtest/gtest.h>

#include <bit>
#include <vector>

#include "host/backend/muon_formula.hpp"
#include "host/cpu/products.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/random.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::cpu::test {
namespace {

using warpfit::test::all_close;
using warpfit::test::Doubles;
using warpfit::test::TestValues;

struct Values {
  explicit Values(const std::vector<float>& values) {
    for (const float value : values) {
      floats.push_back(bf16_rounded(value));
      narrow.push_back(static_cast<Bf16>(std::bit_cast<std::uint32_t>(floats.back()) >> 16));
    }
  }
  std::vector<float> floats;
  std::vector<Bf16> narrow;
};

class Bf16Products : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    if (!Matmul::has_bf16()) GTEST_SKIP() << "this processor has no instructions for bf16";
  }

  // x (N, K) times w (M, K) transposed, or times w (K, M).
  void check(std::int64_t n, std::int64_t k, std::int64_t m, bool transposed) {
    SCOPED_TRACE(testing::Message() << n << "x" << k << "x" << m << (transposed ? ", transposed" : ""));
    const Values x(values_.uniform(n * k));
    const Values w(values_.uniform(k * m));
    std::vector<float> y(static_cast<std::size_t>(n * m), -1);
    const ConstBf16Matrix narrow_x{x.narrow.data(), n, k};
    if (transposed) {
      products_.forward(narrow_x, ConstBf16Matrix{w.narrow.data(), m, k}, {y.data(), n, m});
    } else {
      products_.backward_input(narrow_x, ConstBf16Matrix{w.narrow.data(), k, m}, {y.data(), n, m});
    }
    Doubles expected;
    for (std::int64_t row = 0; row < n; ++row) {
      for (std::int64_t col = 0; col < m; ++col) {
        double sum = 0;
        for (std::int64_t i = 0; i < k; ++i)
          sum += double{x.floats[row * k + i]} * w.floats[transposed ? col * k + i : i * m + col];
        expected.push_back(sum);
      }
    }
    EXPECT_TRUE(all_close(y, expected, {1e-4, 1e-5}));
  }

  ThreadPool pool_{GetParam()};
  Products products_{pool_};
  TestValues values_;
};

TEST_P(Bf16Products, AgreeWithDouble) {
  for (const bool transposed : {true, false}) {
    check(1, 1, 1, transposed);
    check(3, 5, 7, transposed);
    check(33, 65, 17, transposed);
    check(100, 300, 90, transposed);
    check(257, 128, 301, transposed);
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, Bf16Products, testing::Values(1, 3));

}  // namespace
}  // namespace warpfit::cpu::test
