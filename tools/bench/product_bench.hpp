// Products of linear layers on a GPU, ours beside cuBLAS's.
#pragma once

#include <cstdint>
#include <span>

#include "host/backend/backend.hpp"
#include "tools/bench/graph_timer.hpp"

namespace warpfit {

/// Prints the products of a training step of a network of these widths, in fp32: by our own kernels, and by
/// cuBLAS with kernels for bias, ReLU and bias gradient behind it.
void bench_small_products(GraphTimer& timer, std::int64_t rows, std::span<const std::int64_t> widths);

/// Prints the products of a hidden layer of a large network, `width` to `width`: as a training step computes
/// them, and cuBLAS's bare products, without bias, ReLU and bias gradient.
void bench_large_products(GraphTimer& timer, std::int64_t rows, std::int64_t width, Precision precision);

}  // namespace warpfit
