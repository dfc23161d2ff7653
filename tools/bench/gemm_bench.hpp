// Measures matrix products of linear layers on a GPU, by our kernels and by cuBLAS.
#pragma once

#include <cstdint>
#include <span>

#include "host/backend/backend.hpp"
#include "tools/bench/graph_timer.hpp"

namespace warpfit {

/// Prints the products of a training step of a network with these widths, in fp32: by our own kernels, and by
/// cuBLAS followed by kernels for bias, ReLU and bias gradient.
void bench_small_gemms(GraphTimer& timer, std::int64_t rows, std::span<const std::int64_t> widths);

/// Prints the products of a hidden layer of a large network, `width` to `width`: within a training step, and
/// as plain cuBLAS calls without bias, ReLU and bias gradient.
void bench_large_gemms(GraphTimer& timer, std::int64_t rows, std::int64_t width, Precision precision);

}  // namespace warpfit
