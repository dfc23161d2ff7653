// The operations as plain loops in double precision: the reference for every backend. They share no code with
// the backends, so that a common mistake cannot hide.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace warpfit::test {

using Doubles = std::vector<double>;

/// y (N, M) = x (N, K) w' + b
Doubles reference_linear(std::span<const float> x, std::span<const float> w, std::span<const float> b,
                         std::int64_t rows);

/// dx (N, K) = dy (N, M) w (M, K)
Doubles reference_linear_input_gradient(std::span<const float> dy, std::span<const float> w,
                                        std::int64_t rows, std::int64_t outputs);

/// dw (M, K) = dy' x
Doubles reference_weight_gradient(std::span<const float> x, std::span<const float> dy, std::int64_t rows);

/// db (M) = the sum of dy over its rows
Doubles reference_bias_gradient(std::span<const float> dy, std::int64_t rows);

}  // namespace warpfit::test
