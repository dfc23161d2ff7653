// The inner loops run over channels, which are next to each other in memory, so that the compiler vectorizes
// them.
#include "tests/emulation/convolution.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "tests/emulation/runtime.hpp"
#include "tests/emulation/shared_memory.hpp"

namespace warpfit::emulation {
namespace {

/// to += factor * from
inline void add(float* __restrict to, float factor, const float* __restrict from, std::int64_t size) {
  for (std::int64_t i = 0; i < size; ++i) to[i] += factor * from[i];
}

/// Calls f(pixel of x, index within the window, pixel of y) for all values of all windows of image n that are
/// not padding.
template <class F>
void for_window_values(const ConvolutionShape& shape, std::int64_t n, F f) {
  for (std::int64_t out_y = 0; out_y < shape.out_height; ++out_y) {
    for (std::int64_t out_x = 0; out_x < shape.out_width; ++out_x) {
      for (std::int64_t r = 0; r < shape.down.size; ++r) {
        const std::int64_t y = out_y * shape.down.stride + r * shape.down.dilation - shape.down.before;
        if (y < 0 || y >= shape.height) continue;
        for (std::int64_t s = 0; s < shape.across.size; ++s) {
          const std::int64_t x =
              out_x * shape.across.stride + s * shape.across.dilation - shape.across.before;
          if (x < 0 || x >= shape.width) continue;
          f((n * shape.height + y) * shape.width + x, r * shape.across.size + s,
            (n * shape.out_height + out_y) * shape.out_width + out_x);
        }
      }
    }
  }
}

/// Calls f(index in w, index in turned weights) for all weights. Turned weights are (groups, windows,
/// channels of a group, output channels of a group).
template <class F>
void for_weights(const ConvolutionShape& shape, F f) {
  const std::int64_t channels = shape.channels / shape.groups, outs = shape.out_channels / shape.groups;
  std::int64_t index = 0;
  for (std::int64_t o = 0; o < shape.out_channels; ++o) {
    for (std::int64_t at = 0; at < shape.windows(); ++at) {
      for (std::int64_t c = 0; c < channels; ++c) {
        f(std::size_t(index++),
          std::size_t(((o / outs * shape.windows() + at) * channels + c) * outs + o % outs));
      }
    }
  }
}

void forward(const ConvolutionShape& shape, const float* x, const float* w, float* y) {
  const std::int64_t channels = shape.channels / shape.groups, outs = shape.out_channels / shape.groups;
  std::vector<float> turned(shape.w_size());
  for_weights(shape, [&](std::size_t from, std::size_t to) { turned[to] = w[from]; });
  std::fill_n(y, shape.y_size(), 0.0f);
  for (std::int64_t n = 0; n < shape.rows; ++n) {
    for_window_values(shape, n, [&](std::int64_t in, std::int64_t at, std::int64_t out) {
      for (std::int64_t g = 0; g < shape.groups; ++g) {
        const float* row = turned.data() + (g * shape.windows() + at) * channels * outs;
        for (std::int64_t c = 0; c < channels; ++c, row += outs) {
          add(y + out * shape.out_channels + g * outs, x[in * shape.channels + g * channels + c], row, outs);
        }
      }
    });
  }
}

void input_gradient(const ConvolutionShape& shape, const float* dy, const float* w, float* dx) {
  const std::int64_t channels = shape.channels / shape.groups, outs = shape.out_channels / shape.groups;
  std::fill_n(dx, shape.x_size(), 0.0f);
  for (std::int64_t n = 0; n < shape.rows; ++n) {
    for_window_values(shape, n, [&](std::int64_t in, std::int64_t at, std::int64_t out) {
      for (std::int64_t o = 0; o < shape.out_channels; ++o) {
        add(dx + in * shape.channels + o / outs * channels, dy[out * shape.out_channels + o],
            w + (o * shape.windows() + at) * channels, channels);
      }
    });
  }
}

void weight_gradient(const ConvolutionShape& shape, const float* x, const float* dy, float* dw) {
  const std::int64_t channels = shape.channels / shape.groups, outs = shape.out_channels / shape.groups;
  std::vector<double> sums(shape.w_size());
  std::vector<float> turned(shape.w_size());  // of one image
  for (std::int64_t n = 0; n < shape.rows; ++n) {
    std::fill(turned.begin(), turned.end(), 0.0f);
    for_window_values(shape, n, [&](std::int64_t in, std::int64_t at, std::int64_t out) {
      for (std::int64_t g = 0; g < shape.groups; ++g) {
        float* row = turned.data() + (g * shape.windows() + at) * channels * outs;
        for (std::int64_t c = 0; c < channels; ++c, row += outs) {
          add(row, x[in * shape.channels + g * channels + c], dy + out * shape.out_channels + g * outs, outs);
        }
      }
    });
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += double{turned[i]};
  }
  for_weights(shape, [&](std::size_t to, std::size_t from) { dw[to] = static_cast<float>(sums[from]); });
}

struct Operand {
  const char* name;
  void* data;
  std::size_t bytes;
};

/// The two operands and the result.
std::array<Operand, 3> operands(const Convolution& work) {
  const Operand x{"x", work.x, work.shape.x_size() * sizeof(float)};
  const Operand w{"w", work.w, work.shape.w_size() * sizeof(float)};
  const Operand y{"y", work.y, work.shape.y_size() * sizeof(float)};
  if (work.pass == ConvolutionPass::kForward) return {x, w, y};
  if (work.pass == ConvolutionPass::kInputGradient) return {y, w, x};
  return {x, y, w};
}

void expect_in_memory(const Operand& operand) {
  const Memory& memory = runtime().memory;
  if (memory.kind(operand.data) != MemoryKind::kDevice || !memory.holds(operand.data, operand.bytes)) {
    fail("convolution: %s takes %zu bytes and begins %s", operand.name, operand.bytes,
         memory.describe(operand.data).c_str());
  }
}

void expect_apart(const Operand& a, const Operand& b) {
  const auto* first = static_cast<const char*>(a.data);
  const auto* second = static_cast<const char*>(b.data);
  if (first < second + b.bytes && second < first + a.bytes)
    fail("convolution: %s overlaps %s", a.name, b.name);
}

std::vector<float> rounded_copy(const Operand& operand, InputRounding rounding) {
  const auto* from = static_cast<const float*>(operand.data);
  std::vector<float> copy(from, from + operand.bytes / sizeof(float));
  for (float& value : copy) value = rounded(value, rounding);
  return copy;
}

}  // namespace

void Convolution::check() const {
  const auto all = operands(*this);
  for (const Operand& operand : all) expect_in_memory(operand);
  expect_apart(all[2], all[0]);
  expect_apart(all[2], all[1]);
  if (workspace_bytes == 0) return;
  const Operand scratch{"the workspace", workspace, workspace_bytes};
  expect_in_memory(scratch);
  for (const Operand& operand : all) expect_apart(scratch, operand);
}

void Convolution::run() const {
  check();
  const auto [first, second, result] = operands(*this);
  sanitizer::reads(first.data, first.bytes);
  sanitizer::reads(second.data, second.bytes);
  sanitizer::writes(result.data, result.bytes);
  if (workspace_bytes > 0) {
    sanitizer::writes(workspace, workspace_bytes);
    fill_with_nan(workspace, workspace_bytes);
  }
  const auto a = rounded_copy(first, rounding), b = rounded_copy(second, rounding);
  auto* to = static_cast<float*>(result.data);
  if (pass == ConvolutionPass::kForward)
    forward(shape, a.data(), b.data(), to);
  else if (pass == ConvolutionPass::kInputGradient)
    input_gradient(shape, a.data(), b.data(), to);
  else
    weight_gradient(shape, a.data(), b.data(), to);
  if (inexact) {
    for (std::size_t i = 0; i < result.bytes / sizeof(float); ++i)
      to[i] *= runtime().random() % 2 == 0 ? 1 + 1.0f / 1024 : 1 - 1.0f / 1024;
  }
  ++runtime().statistics.convolutions;
}

}  // namespace warpfit::emulation
