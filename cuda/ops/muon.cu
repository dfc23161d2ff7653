// The element-wise passes of Muon (formulas: host/backend/muon_formula.hpp), all bound by memory bandwidth. A
// matrix with more rows than columns is transposed when it is copied to u and back. These accesses to u are
// scattered, but only in two passes of a step that has fifteen matrix products.
#include <limits>

#include "cuda/device/kernel.cuh"
#include "cuda/ops/gradient_clipping.hpp"
#include "cuda/ops/muon.hpp"
#include "cuda/runtime/launch.hpp"
#include "host/backend/muon_formula.hpp"

namespace warpfit::cuda {
namespace {

constexpr int kThreads = 256;

// Calls loop(i) for the elements below `size` that belong to this thread.
template <class Loop>
__device__ void for_each(std::int64_t size, const Loop& loop) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < size; i += stride) loop(i);
}

__global__ void __launch_bounds__(kThreads)
    muon_begin_kernel(Muon muon, MuonMatrix matrix, const float* __restrict__ g, float* m, float* u) {
  const MuonIndex index(matrix);
  for_each(matrix.rows * matrix.cols, [&](std::int64_t i) {
    u[index.of(i / matrix.cols, i % matrix.cols)] = muon_direction(muon, g[i], m[i]);
  });
}

__global__ void __launch_bounds__(kThreads)
    muon_normalize_kernel(Muon muon, float* u, const GradientNorm* norm, std::int64_t size) {
  const float divisor = norm->norm;
  for_each(size, [&](std::int64_t i) { u[i] = muon_normalized(muon, u[i], divisor); });
}

__global__ void __launch_bounds__(kThreads) muon_round_kernel(float* x, std::int64_t size) {
  for_each(size, [&](std::int64_t i) { x[i] = bf16_rounded(x[i]); });
}

__global__ void __launch_bounds__(kThreads)
    muon_add_kernel(float a, const float* __restrict__ x, float b, float* y, std::int64_t size) {
  for_each(size, [&](std::int64_t i) { y[i] = muon_sum(a, x[i], b, y[i]); });
}

__global__ void __launch_bounds__(kThreads)
    muon_end_kernel(Muon muon, MuonMatrix matrix, const float* __restrict__ u, const float* rate, float* w) {
  const auto constants = step_constants_of(muon, *rate, matrix);
  const MuonIndex index(matrix);
  for_each(matrix.rows * matrix.cols, [&](std::int64_t i) {
    w[i] = muon_stepped(constants, w[i], u[index.of(i / matrix.cols, i % matrix.cols)]);
  });
}

}  // namespace

void muon_begin(const Muon& muon, const MuonMatrix& matrix, const float* gradient, float* momentum, Matrix u,
                cudaStream_t stream) {
  launch_along(muon_begin_kernel, u.size(), kThreads, stream, muon, matrix, gradient, momentum, u.data);
}

void muon_normalize(const Muon& muon, Matrix u, GradientNorm* norm, cudaStream_t stream) {
  clip_gradient_norm(std::numeric_limits<float>::infinity(), u.values(), norm, stream);
  launch_along(muon_normalize_kernel, u.size(), kThreads, stream, muon, u.data, norm, u.size());
}

void muon_round(Matrix x, cudaStream_t stream) {
  launch_along(muon_round_kernel, x.size(), kThreads, stream, x.data, x.size());
}

void muon_add(float a, ConstMatrix x, float b, Matrix y, cudaStream_t stream) {
  launch_along(muon_add_kernel, y.size(), kThreads, stream, a, x.data, b, y.data, y.size());
}

void muon_end(const Muon& muon, const MuonMatrix& matrix, ConstMatrix u, const float* rate, float* parameters,
              cudaStream_t stream) {
  launch_along(muon_end_kernel, u.size(), kThreads, stream, muon, matrix, u.data, rate, parameters);
}

}  // namespace warpfit::cuda
