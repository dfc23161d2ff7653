// A step of an optimizer (formulas: host/backend/optimizer_formula.hpp): one pass over parameters, gradients
// and moments, bound by memory bandwidth. Steps are counted on the device, so that a recorded update can be
// replayed.
#include "cuda/device/kernel.cuh"
#include "cuda/device/reduce.cuh"
#include "cuda/device/vector.cuh"
#include "cuda/ops/optimizer.hpp"
#include "cuda/runtime/launch.hpp"
#include "host/backend/optimizer_formula.hpp"

namespace warpfit::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kVector = 4;

struct Moments {
  float* data[kMaxMoments];  ///< null for a moment that the optimizer does not have
  __device__ float* operator[](std::size_t k) const { return data[k]; }
};

struct Ranges {
  const ParameterRange* data;  ///< null if `all` applies to all parameters
  int count;
  ParameterRange all;
};

/// Four consecutive elements, in accesses of 16 bytes.
template <class Rule, class StepConstants>
__device__ void step_quad(const Rule& rule, const StepConstants& constants, float* w, const float* g,
                          const Moments& moments, std::int64_t quad) {
  const KeptMoments<Rule, const Moments&> kept{moments};
  Element e[kVector] = {};
  const auto load = [&](const float* from, auto field) {
    const float4 four = load_four(from, quad);
    field(e[0]) = four.x;
    field(e[1]) = four.y;
    field(e[2]) = four.z;
    field(e[3]) = four.w;
  };
  const auto store = [&](float* to, auto field) {
    store_four(to, quad, make_float4(field(e[0]), field(e[1]), field(e[2]), field(e[3])));
  };
  load(w, [](Element& one) -> float& { return one.w; });
  load(g, [](Element& one) -> float& { return one.g; });
#pragma unroll
  for (std::size_t k = 0; k < kMaxMoments; ++k) {
    if (kept.has(k)) load(moments[k], [k](Element& one) -> float& { return one.moment(k); });
  }
#pragma unroll
  for (Element& one : e) update(rule, constants, kept, one);
  store(w, [](Element& one) { return one.w; });
#pragma unroll
  for (std::size_t k = 0; k < kMaxMoments; ++k) {
    if (kept.has(k)) store(moments[k], [k](Element& one) { return one.moment(k); });
  }
}

template <class Rule, class StepConstants>
__device__ void step_one(const Rule& rule, const StepConstants& constants, float* w, const float* g,
                         const Moments& moments, std::int64_t i) {
  const KeptMoments<Rule, const Moments&> kept{moments};
  Element e{w[i], g[i]};
#pragma unroll
  for (std::size_t k = 0; k < kMaxMoments; ++k) {
    if (kept.has(k)) e.moment(k) = moments[k][i];
  }
  update(rule, constants, kept, e);
  w[i] = e.w;
#pragma unroll
  for (std::size_t k = 0; k < kMaxMoments; ++k) {
    if (kept.has(k)) moments[k][i] = e.moment(k);
  }
}

__device__ bool in_fours(const float* w, const float* g, const Moments& moments) {
  auto bits = reinterpret_cast<std::uintptr_t>(w) | reinterpret_cast<std::uintptr_t>(g);
  for (const float* moment : moments.data) bits |= reinterpret_cast<std::uintptr_t>(moment);
  return bits % sizeof(float4) == 0;
}

template <class Rule>
__global__ void __launch_bounds__(kThreads)
    optimizer_update_kernel(Rule rule, float* w, const float* __restrict__ g, Moments moments,
                            const float* rate, float rate_factor, OptimizerProgress* progress,
                            Ranges ranges) {
  using StepConstants = decltype(step_constants_of(rule, *rate, progress->steps, progress->scalar));
  SHARED_ARRAY(StepConstants, shared, 1);
  const std::int64_t number = progress->steps + 1;
  if (threadIdx.x == 0) shared[0] = step_constants_of(rule, *rate * rate_factor, number, progress->scalar);
  __syncthreads();
  const StepConstants constants = shared[0];
  const std::int64_t first = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  const bool aligned = in_fours(w, g, moments);
  for (int r = 0; r < ranges.count; ++r) {
    const ParameterRange range = ranges.data == nullptr ? ranges.all : ranges.data[r];
    const std::int64_t end = range.first + range.size;
    const bool fours = aligned && range.first % kVector == 0;
    for (std::int64_t i = range.first / kVector + first; fours && i < end / kVector; i += stride)
      step_quad(rule, constants, w, g, moments, i);
    for (std::int64_t i = (fours ? end / kVector * kVector : range.first) + first; i < end; i += stride)
      step_one(rule, constants, w, g, moments, i);
  }
  // Executed by the last block, when every block has read the number.
  if (is_last_block(&progress->arrived) && threadIdx.x == 0) {
    progress->steps = number;
    progress->scalar = next_scalar(constants, progress->scalar);
  }
}

}  // namespace

void optimizer_update(const Optimizer& optimizer, const OptimizerViews& views, const float* rate,
                      cudaStream_t stream) {
  const auto size = static_cast<std::int64_t>(views.parameters.size());
  Moments moments{};
  for (std::size_t k = 0; k < kMaxMoments; ++k) moments.data[k] = views.moments[k].data();
  const int count = views.ranges.empty() ? 1 : static_cast<int>(views.ranges.size());
  const Ranges ranges{views.ranges.data(), count, {0, size}};
  std::visit(
      [&]<class Rule>(const Rule& rule) {
        launch_along(optimizer_update_kernel<Rule>, (size + kVector - 1) / kVector, kThreads, stream, rule,
                     views.parameters.data(), views.gradients.data(), moments, rate, views.rate_factor,
                     views.progress, ranges);
      },
      optimizer);
}

}  // namespace warpfit::cuda
