#include "host/base/symmetric_eigen.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/random.hpp"

namespace warpfit::test {
namespace {

TEST(SymmetricEigen, IsWhatOneWorksOutByHand) {
  const auto one = symmetric_eigen({-3}, 1);
  EXPECT_EQ(one.values, std::vector<double>{-3});
  EXPECT_EQ(one.vectors, std::vector<double>{1});
  // [2 -1; -1 2] has (1, -1) / sqrt(2) with 3 and (1, 1) / sqrt(2) with 1.
  const auto two = symmetric_eigen({2, -1, -1, 2}, 2);
  EXPECT_NEAR(two.values[0], 3, 1e-15);
  EXPECT_NEAR(two.values[1], 1, 1e-15);
  for (const std::size_t i : {0U, 2U, 3U}) EXPECT_NEAR(two.vectors[i], std::sqrt(0.5), 1e-15);
  EXPECT_NEAR(two.vectors[1], -std::sqrt(0.5), 1e-15);
}

TEST(SymmetricEigen, SortsTheValuesOfADiagonalMatrix) {
  const auto eigen = symmetric_eigen({1, 0, 0, 0, 5, 0, 0, 0, 1}, 3);
  EXPECT_EQ(eigen.values, (std::vector<double>{5, 1, 1}));
  EXPECT_EQ(eigen.vectors, (std::vector<double>{0, 1, 0, 1, 0, 0, 0, 0, 1}));
}

TEST(SymmetricEigen, OfZerosIsZero) {
  EXPECT_EQ(symmetric_eigen({0, 0, 0, 0}, 2).values, (std::vector<double>{0, 0}));
}

// A v = l v with orthonormal vectors, whose largest component is positive.
TEST(SymmetricEigen, DiagonalizesRandomMatrices) {
  TestValues values;
  for (const std::size_t n : {3U, 12U, 57U}) {
    const auto half = values.uniform(static_cast<std::int64_t>(n * n));
    std::vector<double> matrix(n * n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) matrix[i * n + j] = double{half[i * n + j]} + half[j * n + i];
    }
    const auto eigen = symmetric_eigen(matrix, n);
    const auto dot = [n](const double* a, const double* b) {
      double sum = 0;
      for (std::size_t k = 0; k < n; ++k) sum += a[k] * b[k];
      return sum;
    };
    for (std::size_t i = 0; i < n; ++i) {
      const double* vector = eigen.vectors.data() + i * n;
      if (i > 0) {
        EXPECT_GE(eigen.values[i - 1], eigen.values[i]);
      }
      double largest = 0;
      for (std::size_t j = 0; j < n; ++j) {
        EXPECT_NEAR(dot(matrix.data() + j * n, vector), eigen.values[i] * vector[j], 1e-13 * n);
        EXPECT_NEAR(dot(eigen.vectors.data() + j * n, vector), i == j ? 1 : 0, 1e-14 * n);
        if (std::abs(vector[j]) > std::abs(largest)) largest = vector[j];
      }
      EXPECT_GT(largest, 0);
    }
  }
}

}  // namespace
}  // namespace warpfit::test
