// The three passes of a convolution with the semantics of cuDNN, as plain loops.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tests/emulation/gemm.hpp"

namespace warpfit::emulation {

/// Windows along one dimension.
struct WindowAxis {
  std::int64_t size = 0, stride = 0, dilation = 0;
  std::int64_t before = 0, after = 0;  ///< padding

  /// How many windows fit into `values` values; 0 if none fits.
  std::int64_t count(std::int64_t values) const {
    const std::int64_t space = values + before + after - (dilation * (size - 1) + 1);
    return space < 0 ? 0 : space / stride + 1;
  }
};

/// Images x (rows, height, width, channels) and y (rows, out_height, out_width, out_channels), weights w
/// (out_channels, down.size, across.size, channels / groups).
struct ConvolutionShape {
  std::int64_t rows = 0, channels = 0, height = 0, width = 0;
  std::int64_t out_channels = 0, out_height = 0, out_width = 0;
  std::int64_t groups = 1;
  WindowAxis down, across;

  std::int64_t windows() const { return down.size * across.size; }
  std::size_t x_size() const { return std::size_t(rows * channels * height * width); }
  std::size_t w_size() const { return std::size_t(out_channels * windows() * (channels / groups)); }
  std::size_t y_size() const { return std::size_t(rows * out_channels * out_height * out_width); }
};

enum class ConvolutionPass { kForward, kInputGradient, kWeightGradient };

/// A pass as device work: y from x and w, x from y and w, or w from x and y.
struct Convolution {
  ConvolutionShape shape;
  ConvolutionPass pass = ConvolutionPass::kForward;
  InputRounding rounding = InputRounding::kNone;
  bool inexact = false;  ///< adds random relative errors of 2^-10
  void* x = nullptr;
  void* w = nullptr;
  void* y = nullptr;
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;

  /// Fails if an operand or the workspace does not lie entirely in device memory, or if the result overlaps
  /// an operand or the workspace.
  void check() const;
  void run() const;
};

}  // namespace warpfit::emulation
