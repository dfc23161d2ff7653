#include "host/base/symmetric_eigen.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace warpfit {
namespace {

// Sum of the squares of the elements above the diagonal.
double off_diagonal(const std::vector<double>& matrix, std::size_t n) {
  double sum = 0;
  for (std::size_t row = 0; row < n; ++row) {
    for (std::size_t col = row + 1; col < n; ++col) sum += matrix[row * n + col] * matrix[row * n + col];
  }
  return sum;
}

// A rotation in the plane of two coordinates.
struct Rotation {
  double cosine, sine;

  void apply(double& a, double& b) const {
    const double rotated = cosine * a - sine * b;
    b = sine * a + cosine * b;
    a = rotated;
  }
};

// The rotation by at most 45 degrees that makes the element (p, q) 0.
Rotation rotation_of(const std::vector<double>& matrix, std::size_t n, std::size_t p, std::size_t q) {
  const double ratio = (matrix[q * n + q] - matrix[p * n + p]) / (2 * matrix[p * n + q]);
  const double tangent = (ratio < 0 ? -1 : 1) / (std::abs(ratio) + std::sqrt(ratio * ratio + 1));
  const double cosine = 1 / std::sqrt(tangent * tangent + 1);
  return {cosine, tangent * cosine};
}

}  // namespace

SymmetricEigen symmetric_eigen(std::vector<double> matrix, std::size_t n) {
  constexpr int kMaxSweeps = 60;  // convergence is quadratic: about ten are needed
  constexpr double kNegligible = 1e-32;
  std::vector<double> vectors(n * n);
  for (std::size_t i = 0; i < n; ++i) vectors[i * n + i] = 1;
  const double size = std::inner_product(matrix.begin(), matrix.end(), matrix.begin(), 0.0);
  for (int sweep = 0; sweep < kMaxSweeps && off_diagonal(matrix, n) > kNegligible * size; ++sweep) {
    for (std::size_t p = 0; p < n; ++p) {
      for (std::size_t q = p + 1; q < n; ++q) {
        if (matrix[p * n + q] == 0) continue;
        const auto rotation = rotation_of(matrix, n, p, q);
        for (std::size_t i = 0; i < n; ++i) rotation.apply(matrix[i * n + p], matrix[i * n + q]);
        for (std::size_t i = 0; i < n; ++i) rotation.apply(matrix[p * n + i], matrix[q * n + i]);
        for (std::size_t i = 0; i < n; ++i) rotation.apply(vectors[p * n + i], vectors[q * n + i]);
      }
    }
  }
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater{}, [&](std::size_t i) { return matrix[i * n + i]; });
  SymmetricEigen eigen{std::vector<double>(n), std::vector<double>(n * n)};
  for (std::size_t i = 0; i < n; ++i) {
    const double* from = vectors.data() + order[i] * n;
    eigen.values[i] = matrix[order[i] * n + order[i]];
    const auto smaller = [](double a, double b) { return std::abs(a) < std::abs(b); };
    const double sign = *std::max_element(from, from + n, smaller) < 0 ? -1 : 1;
    std::transform(from, from + n, eigen.vectors.begin() + static_cast<std::ptrdiff_t>(i * n),
                   [sign](double value) { return sign * value; });
  }
  return eigen;
}

}  // namespace warpfit
