#include "tests/support/reference.hpp"

namespace warpfit::test {

Doubles reference_linear(std::span<const float> x, std::span<const float> w, std::span<const float> b,
                         std::int64_t rows) {
  const auto outputs = static_cast<std::int64_t>(b.size());
  const auto inputs = static_cast<std::int64_t>(w.size()) / outputs;
  Doubles y;
  for (std::int64_t n = 0; n < rows; ++n) {
    for (std::int64_t m = 0; m < outputs; ++m) {
      double sum = b[m];
      for (std::int64_t k = 0; k < inputs; ++k) sum += double{x[n * inputs + k]} * w[m * inputs + k];
      y.push_back(sum);
    }
  }
  return y;
}

Doubles reference_linear_input_gradient(std::span<const float> dy, std::span<const float> w,
                                        std::int64_t rows, std::int64_t outputs) {
  const auto inputs = static_cast<std::int64_t>(w.size()) / outputs;
  Doubles dx(static_cast<std::size_t>(rows * inputs), 0.0);
  for (std::int64_t n = 0; n < rows; ++n) {
    for (std::int64_t m = 0; m < outputs; ++m) {
      for (std::int64_t k = 0; k < inputs; ++k)
        dx[n * inputs + k] += double{dy[n * outputs + m]} * w[m * inputs + k];
    }
  }
  return dx;
}

Doubles reference_weight_gradient(std::span<const float> x, std::span<const float> dy, std::int64_t rows) {
  const auto inputs = static_cast<std::int64_t>(x.size()) / rows;
  const auto outputs = static_cast<std::int64_t>(dy.size()) / rows;
  Doubles dw(static_cast<std::size_t>(inputs * outputs), 0.0);
  for (std::int64_t n = 0; n < rows; ++n) {
    for (std::int64_t m = 0; m < outputs; ++m) {
      for (std::int64_t k = 0; k < inputs; ++k)
        dw[m * inputs + k] += double{dy[n * outputs + m]} * x[n * inputs + k];
    }
  }
  return dw;
}

Doubles reference_bias_gradient(std::span<const float> dy, std::int64_t rows) {
  const auto outputs = static_cast<std::int64_t>(dy.size()) / rows;
  Doubles db(static_cast<std::size_t>(outputs), 0.0);
  for (std::int64_t n = 0; n < rows; ++n) {
    for (std::int64_t m = 0; m < outputs; ++m) db[m] += dy[n * outputs + m];
  }
  return db;
}

}  // namespace warpfit::test
