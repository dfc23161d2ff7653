// A step of Muon, shared by all devices, in torch.optim.Muon's order of operations. bf16 values are stored as
// floats, which represent them and their products exactly.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>

#include "host/backend/average_formula.hpp"
#include "host/backend/muon.hpp"

namespace warpfit {

/// The nearest bf16 value, ties to even; a NaN remains a NaN.
WARPFIT_HOST_DEVICE inline float bf16_rounded(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7FFFU + (bits >> 16 & 1U)) & 0xFFFF0000U;
  return value != value ? value : std::bit_cast<float>(rounded);
}

/// Updates the momentum m with the gradient g and returns the direction u in bf16.
WARPFIT_HOST_DEVICE inline float muon_direction(const Muon& muon, float g, float& m) {
  m = average(m, g, static_cast<float>(1 - muon.momentum));
  return bf16_rounded(muon.nesterov ? average(g, m, static_cast<float>(muon.momentum)) : m);
}

/// A value of u divided by u's norm.
WARPFIT_HOST_DEVICE inline float muon_normalized(const Muon& muon, float u, float norm) {
  const float divisor = bf16_rounded(norm < muon.eps ? muon.eps : norm);
  return bf16_rounded(u / divisor);
}

/// As torch.addmm of bf16 matrices, which rounds once: a * x + b * product.
WARPFIT_HOST_DEVICE inline float muon_sum(float a, float x, float b, float product) {
  return bf16_rounded(a * x + b * product);
}

/// The constants of a step, which are the same for all parameters of a matrix.
struct MuonConstants {
  float keep;  ///< 1 - rate * weight_decay, the factor of weight decay
  float rate;  ///< learning rate times the matrix's adjustment
};
WARPFIT_HOST_DEVICE inline MuonConstants step_constants_of(const Muon& muon, float rate,
                                                           const MuonMatrix& matrix) {
  rate *= matrix.rate_factor;
  const auto rows = static_cast<double>(matrix.rows);
  const auto cols = static_cast<double>(matrix.cols);
  const double longer = rows > cols ? rows : cols;
  const double adjustment = muon.matches_adamw ? 0.2 * sqrt(longer) : sqrt(longer / cols);
  return {static_cast<float>(1 - rate * muon.weight_decay), static_cast<float>(rate * adjustment)};
}

/// A parameter after a step in the direction o.
WARPFIT_HOST_DEVICE inline float muon_stepped(const MuonConstants& constants, float w, float o) {
  return w * constants.keep - constants.rate * o;
}

/// The index in u of an element of the matrix: u is transposed if the matrix has more rows than columns.
class MuonIndex {
 public:
  WARPFIT_HOST_DEVICE explicit MuonIndex(const MuonMatrix& matrix)
      : by_row_(matrix.rows > matrix.cols ? 1 : matrix.cols),
        by_col_(matrix.rows > matrix.cols ? matrix.rows : 1) {}
  [[nodiscard]] WARPFIT_HOST_DEVICE std::int64_t of(std::int64_t row, std::int64_t col) const {
    return row * by_row_ + col * by_col_;
  }

 private:
  std::int64_t by_row_, by_col_;
};

/// Scratch memory of a step, large enough for each of the matrices.
class MuonScratch {
 public:
  /// Size of `memory` in floats.
  static std::size_t floats(std::span<const MuonMatrix> matrices) {
    return static_cast<std::size_t>(2 * largest(matrices) + 2 * largest_gram(matrices));
  }
  /// Size of the largest u in floats, rounded up to 128 bytes.
  static std::int64_t largest(std::span<const MuonMatrix> matrices) {
    std::int64_t size = 0;
    for (const auto& matrix : matrices) size = std::max(size, aligned(matrix.rows * matrix.cols));
    return size;
  }
  /// Largest number of rows of a u, which is the shorter side of its matrix.
  static std::int64_t max_rows(std::span<const MuonMatrix> matrices) {
    std::int64_t result = 0;
    for (const auto& matrix : matrices) result = std::max(result, std::min(matrix.rows, matrix.cols));
    return result;
  }
  MuonScratch(float* memory, std::span<const MuonMatrix> matrices)
      : u(memory),
        product(u + largest(matrices)),
        gram(product + largest(matrices)),
        gram_update(gram + largest_gram(matrices)) {}

  float *u, *product;         ///< (shorter side, longer side)
  float *gram, *gram_update;  ///< (shorter side, shorter side)

 private:
  // Rounds a size in floats up to a multiple of 128 bytes.
  static std::int64_t aligned(std::int64_t size) { return (size + 31) / 32 * 32; }
  static std::int64_t largest_gram(std::span<const MuonMatrix> matrices) {
    const auto rows = max_rows(matrices);
    return aligned(rows * rows);
  }
};

/// Performs a step for one matrix with these functions of `device`:
///   begin(matrix, u)                  updates the momentum, computes u
///   normalize(u)                      divides u by its norm
///   multiply(x, y, z)                 z = x y'
///   multiply_plain(x, y, z)           z = x y
///   round(x)                          x in bf16
///   add(a, x, b, y)                   y = a * x + b * y in bf16
///   end(matrix, u)                    updates the parameters
template <class Device>
void muon_step(const Muon& muon, const MuonMatrix& matrix, const MuonScratch& scratch, Device& device) {
  constexpr float kA = 3.4445F, kB = -4.7750F, kC = 2.0315F;  // Newton-Schulz polynomial: a x + b x^3 + c x^5
  const std::int64_t rows = matrix.rows < matrix.cols ? matrix.rows : matrix.cols;
  const std::int64_t cols = matrix.rows < matrix.cols ? matrix.cols : matrix.rows;
  Matrix u{scratch.u, rows, cols};
  Matrix product{scratch.product, rows, cols};
  const Matrix gram{scratch.gram, rows, rows};
  const Matrix gram_update{scratch.gram_update, rows, rows};
  device.begin(matrix, u);
  device.normalize(u);
  for (int step = 0; step < muon.steps; ++step) {
    device.multiply(u, u, gram);
    device.round(gram);
    device.multiply(gram, gram, gram_update);  // symmetric
    device.add(kB, gram, kC, gram_update);
    device.multiply_plain(gram_update, u, product);
    device.add(kA, u, 1, product);
    std::swap(u.data, product.data);
  }
  device.end(matrix, u);
}

}  // namespace warpfit
