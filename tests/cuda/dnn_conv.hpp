// Convolutions for the tests of cuDNN's, and what they are expected to compute.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "cuda/runtime/dnn_graph.hpp"
#include "tests/cuda/on_device.hpp"
#include "tests/cuda/with_dnn.hpp"
#include "tests/support/random.hpp"

namespace warpfit::test {

inline ConvOperation conv(Image in, std::int64_t out_channels, Windows rows, Windows columns,
                          std::int64_t groups = 1) {
  ConvOperation operation;
  operation.in = in;
  operation.out_channels = out_channels;
  operation.rows = rows;
  operation.columns = columns;
  operation.groups = groups;
  return operation;
}

struct OperandSizes {
  std::int64_t a, b, result;
};

/// How many elements the operands and the result of a pass have.
inline OperandSizes operand_sizes(ConvPass pass, const ConvOperation& operation, std::int64_t rows) {
  const auto x = rows * operation.in.size(), y = rows * operation.out().size(), w = operation.weights();
  if (pass == ConvPass::kForward) return {x, w, y};
  if (pass == ConvPass::kInputGradient) return {y, w, x};
  return {x, y, w};
}

/// The name of a pass as a test parameter.
inline std::string pass_name(ConvPass pass) {
  return pass == ConvPass::kForward         ? "cuda_forward"
         : pass == ConvPass::kInputGradient ? "cuda_input_gradient"
                                            : "cuda_weight_gradient";
}

/// The result of a pass, by its definition.
inline std::vector<double> expected_pass(ConvPass pass, const ConvOperation& operation, std::int64_t rows,
                                         const std::vector<float>& a, const std::vector<float>& b) {
  const auto in = operation.in, out = operation.out();
  const auto channels = in.channels / operation.groups, outs = out.channels / operation.groups;
  std::vector<double> result(static_cast<std::size_t>(operand_sizes(pass, operation, rows).result));
  const auto at = [](std::int64_t index) { return static_cast<std::size_t>(index); };
  for (std::int64_t n = 0; n < rows; ++n) {
    for (std::int64_t out_y = 0; out_y < out.height; ++out_y) {
      for (std::int64_t out_x = 0; out_x < out.width; ++out_x) {
        for (std::int64_t o = 0; o < out.channels; ++o) {
          const auto y = at(((n * out.height + out_y) * out.width + out_x) * out.channels + o);
          for (std::int64_t r = 0; r < operation.rows.size; ++r) {
            for (std::int64_t s = 0; s < operation.columns.size; ++s) {
              const auto in_y =
                  out_y * operation.rows.stride + r * operation.rows.dilation - operation.rows.padding;
              const auto in_x = out_x * operation.columns.stride + s * operation.columns.dilation -
                                operation.columns.padding;
              if (in_y < 0 || in_y >= in.height || in_x < 0 || in_x >= in.width) continue;
              for (std::int64_t c = 0; c < channels; ++c) {
                const auto x =
                    at(((n * in.height + in_y) * in.width + in_x) * in.channels + o / outs * channels + c);
                const auto w =
                    at(((o * operation.rows.size + r) * operation.columns.size + s) * channels + c);
                if (pass == ConvPass::kForward)
                  result[y] += double{a[x]} * double{b[w]};
                else if (pass == ConvPass::kInputGradient)
                  result[x] += double{a[y]} * double{b[w]};
                else
                  result[w] += double{a[x]} * double{b[y]};
              }
            }
          }
        }
      }
    }
  }
  return result;
}

class OnDnn : public WithDnn<DnnHandle> {
 protected:
  [[nodiscard]] std::unique_ptr<DnnHandle> start(const Stream& stream) const override {
    return std::make_unique<DnnHandle>(stream);
  }

  std::vector<float> compute(ConvPass pass, const ConvOperation& operation, std::int64_t rows,
                             Precision precision, const std::vector<float>& a, const std::vector<float>& b) {
    const Floats device_a(*stream_, a), device_b(*stream_, b);
    const Floats result(
        *stream_,
        std::vector<float>(static_cast<std::size_t>(operand_sizes(pass, operation, rows).result), NAN));
    DnnConv conv(*dnn_, pass, operation, rows, precision);
    conv.run(device_a.data(), device_b.data(), result.data());
    return result.values();
  }
};

}  // namespace warpfit::test
