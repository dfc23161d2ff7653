// Eigenvalues and eigenvectors of a small symmetric matrix, by cyclic Jacobi rotations in double precision
// (Golub and Van Loan, Matrix Computations, section 8.5). The result does not depend on the machine.
#pragma once

#include <cstddef>
#include <vector>

namespace warpfit {

struct SymmetricEigen {
  std::vector<double> values;  ///< (n), in descending order
  /// (n, n), row i belongs to value i. Each row has length 1, and its component of the largest magnitude, the
  /// first one of several, is positive.
  std::vector<double> vectors;
};

/// `matrix`: (n, n), symmetric and finite.
[[nodiscard]] SymmetricEigen symmetric_eigen(std::vector<double> matrix, std::size_t n);

}  // namespace warpfit
