// The persistent trainer: one cooperative launch trains a run of batches, forward to update. Block j owns the
// same few columns of all hidden layers (plan.hpp). A step, for layers 0 .. L-1 and values v_0 .. v_L:
//
//   v_i[:, own] = relu(v_(i-1) w_(i-1)[own]' + b)     from gathered v_(i-1);      barrier, for each hidden i
//   logits, loss and dlogits of the rows that this block serves;                  barrier
//   d_(L-1)[:, own] = (dlogits w_(L-1)[:, own]) where v > 0;                      barrier
//   d_i[:, own] = (d_(i+1) w_i[:, own]) where v > 0   from gathered d_(i+1);      barrier, for each i > 1
//
// and between arriving at a barrier and passing it, what only the block itself needs: w_i[own] is updated
// once d_(i+1)[:, own] is known. 2 L - 2 barriers; 4 for the tutorial's three layers. The blocks read others'
// columns of w_i while the logits are awaited, and others' rows of w_(L-1) for the logits: each owner
// writes behind the barrier that ends these reads.
#include "cuda/device/grid_barrier.cuh"
#include "cuda/fused/block_memory.cuh"
#include "cuda/fused/fused_run.hpp"
#include "cuda/ops/optimizer_rule.cuh"
#include "cuda/ops/softmax_cross_entropy_row.cuh"
#include "cuda/runtime/launch.hpp"

namespace warpfit::cuda {
namespace {

template <class Rule>
class Block : BlockMemory {
 public:
  __device__ Block(const Rule& rule, const FusedRun& run, unsigned char* shared)
      : BlockMemory(run, shared), rule_(rule), barrier_(run.exchange.arrived, run.passed, run.timeout) {
    load_parameters();
    __syncthreads();
  }

  __device__ void run_batch(std::int64_t batch, std::int64_t steps_before) {
    const std::int64_t first = run_.batches.first + batch * rows_;
    is_last_ = batch + 1 == run_.batches.batches;
    load_pixels(first);
    if (thread() == 0 && run_.trains) {
      const float rate = run_.batches.rates != nullptr ? run_.batches.rates[batch] : run_.batches.rate;
      *step_factors() = factors_of(rule_, rate, steps_before + batch + 1);
    }
    __syncthreads();
    forward();
    serve_rows(first);
    barrier_.arrive();
    barrier_.wait();
    if (run_.trains) {
      backward();
    } else {
      add_metrics();
    }
    if (plan_.layers == 1) {  // no other barrier parts a batch's reads from the next one's writes
      barrier_.arrive();
      barrier_.wait();
    }
    __syncthreads();
  }

 private:
  __device__ void forward() {
    for (int i = 1; i < plan_.layers; ++i) {
      if (i == 1) {
        forward(i, Rows<std::uint8_t>{pixels(), pixel_stride()}, kPixelScale);
      } else {
        barrier_.wait();
        forward(i, gather(run_.exchange.values[i - 1], i - 1), 1.0F);
      }
      barrier_.arrive();
    }
    if (run_.trains) {  // nobody writes weights until all have arrived with their dlogits
      for (int i = 1; i < top(); ++i) load_weights_behind(i);
    }
    if (plan_.layers > 1) barrier_.wait();
  }

  /// Own values i from all values i - 1.
  template <class T>
  __device__ void forward(int i, Rows<T> x, float scale) {
    const float* b = biases(i - 1);
    float* own = values(i);
    float* all = run_.exchange.values[i] + first_column(i);
    products(x, {weights(i - 1), stride(i - 1)}, rows_, own_columns(i), stride(i - 1), floats(plan_.partial),
             [&](int n, int j, float sum) {
               const float z = sum * scale + b[j];
               const float y = z < 0.0F ? 0.0F : z;  // a NaN stays one
               own[n * own_stride(i) + j] = y;
               all[n * stride(i) + j] = y;
             });
  }

  /// Logits, loss and gradient of rows blockIdx.x, blockIdx.x + gridDim.x, ...
  __device__ void serve_rows(std::int64_t first) {
    const int classes = plan_.widths[plan_.layers];
    float* logits = floats(plan_.logits);
    for (int row = static_cast<int>(blockIdx.x); row < rows_; row += static_cast<int>(gridDim.x)) {
      for (int m = thread() / kWarp; m < classes; m += threads() / kWarp) {
        const float* w = run_.parameters + weight_at(top(), m, 0);
        const float z = top() == 0 ? row_product(pixels() + row * pixel_stride(), w) * kPixelScale
                                   : row_product(run_.exchange.values[top()] + row * stride(top()), w);
        if (thread() % kWarp == 0) logits[m] = z + __ldcg(run_.parameters + run_.biases[top()] + m);
      }
      __syncthreads();
      if (thread() < kWarp) {
        const int label = run_.batches.samples.labels[sample_of(first + row)];
        float* dz = run_.trains ? run_.exchange.dlogits + row * stride(plan_.layers) : nullptr;
        const RowResult result =
            softmax_cross_entropy_row<kWarp>(logits, label, run_.label_smoothing, rows_, classes, dz);
        if (thread() == 0) run_.exchange.results[row] = result;
      }
      __syncthreads();
    }
  }

  /// Of a row of the values before the last layer and one of its weights, by a warp.
  template <class T>
  __device__ float row_product(const T* x, const float* w) const {
    const int lane = thread() % kWarp;
    const int width = plan_.widths[top()];
    float sum = 0;
    if (width % kVector == 0) {
      for (int k = lane * kVector; k < width; k += kWarp * kVector)
        add_product(sum, four(x + k), four(w + k));
    } else {
      for (int k = lane; k < width; k += kWarp) sum += static_cast<float>(x[k]) * w[k];
    }
    return warp_reduce(sum, [](float a, float b) { return a + b; });
  }

  __device__ void backward() {
    gather(run_.exchange.dlogits, stride(plan_.layers), floats(plan_.dlogits));
    if (top() == 0) own_pixels();
    __syncthreads();
    if (top() > 0) backward(top(), {floats(plan_.dlogits), stride(plan_.layers)});
    for (int i = top(); i > 1; --i) {
      if (i < top()) {  // the next layer's inputs, before their owners may write anew
        __syncthreads();
        gather(run_.exchange.values[i - 1], i - 1);
      }
      barrier_.arrive();
      if (i == top()) update_last();
      update(i - 1, gathered(i - 1), 1.0F);
      barrier_.wait();
      backward(i - 1, gather(run_.exchange.gradients[i], i));
    }
    __syncthreads();
    if (top() < 2) update_last();
    if (top() > 0) update(0, Rows<std::uint8_t>{pixels(), pixel_stride()}, kPixelScale);
  }

  /// Own gradients of values i from all those of values i + 1.
  __device__ void backward(int i, Rows<float> dy) {
    const float* y = values(i);
    float* own = gradients();
    float* all = i > 1 ? run_.exchange.gradients[i] + first_column(i) : nullptr;
    products(dy, {weights_behind(i), stride(i + 1)}, rows_, own_columns(i), stride(i + 1),
             floats(plan_.partial), [&](int n, int j, float sum) {
               const float d = y[n * own_stride(i) + j] > 0.0F ? sum : 0.0F;
               own[n * own_stride(i) + j] = d;
               if (all != nullptr) all[n * stride(i) + j] = d;
             });
  }

  /// The rows of this layer's weights that gave the block its newest gradients.
  template <class T>
  __device__ void update(int layer, Rows<T> x, float scale) {
    const int width = plan_.widths[layer];
    const int first = first_column(layer + 1);
    const int own = own_columns(layer + 1);
    const Factors factors = *step_factors();
    const Rows<float> d{gradients(), own_stride(layer + 1)};
    const bool in_packs = width % kVector == 0 && run_.weights[layer] % kVector == 0;
    const bool is_read = layer > 0 || is_last_;  // by other blocks, or behind this launch
    const auto update = [&]<int kCount>(std::int64_t at, Pack<kCount>& w, const Pack<kCount>& gradient) {
      w = updated(factors, at, w, gradient);
      if (is_read) pack<kCount>(run_.parameters + at) = w;
    };
    outer_products(d, x, rows_, own, stride(layer), [&](int j, int k, float4 g) {
      float* w = weights(layer) + j * stride(layer) + k;
      const std::int64_t at = weight_at(layer, first + j, k);
      const Pack<kVector> gradient{g.x * scale, g.y * scale, g.z * scale, g.w * scale};
      if (in_packs) {
        update(at, pack<kVector>(w), gradient);
      } else {
#pragma unroll
        for (int i = 0; i < kVector; ++i) {
          if (k + i < width) update(at + i, pack<1>(w + i), Pack<1>{gradient.of[i]});
        }
      }
    });
    sums_over_rows(
        own, rows_, [&](int n, int j) { return d.row(n)[j]; },
        [&](int j, float sum) {
          const std::int64_t at = run_.biases[layer] + first + j;
          float& b = biases(layer)[j];
          b = run_.parameters[at] = updated(factors, at, b, sum);
        });
  }

  /// The columns of the last layer's weights that read own values; block 0 its biases, and the metrics.
  __device__ void update_last() {
    const int classes = plan_.widths[plan_.layers];
    const int own = own_columns(top());
    const Factors factors = *step_factors();
    const float* dlogits = floats(plan_.dlogits);
    const float* x = values(top());
    sums_over_rows(
        own * classes, rows_,
        [&](int n, int i) {
          return dlogits[n * stride(plan_.layers) + i % classes] * x[n * own_stride(top()) + i / classes];
        },
        [&](int i, float sum) {
          const std::int64_t at = weight_at(top(), i % classes, first_column(top()) + i / classes);
          float& w = weights_behind(top())[i / classes * stride(plan_.layers) + i % classes];
          w = run_.parameters[at] = updated(factors, at, w, sum);
        });
    if (blockIdx.x != 0) return;
    sums_over_rows(
        classes, rows_, [&](int n, int m) { return dlogits[n * stride(plan_.layers) + m]; },
        [&](int m, float sum) {
          const std::int64_t at = run_.biases[top()] + m;
          run_.parameters[at] = updated(factors, at, run_.parameters[at], sum);
        });
    add_metrics();
  }

  __device__ Factors* step_factors() const { return static_cast<Factors*>(factors()); }

  /// Parameters from `at` on, a step later.
  template <int kCount>
  __device__ Pack<kCount> updated(const Factors& factors, std::int64_t at, Pack<kCount> w,
                                  const Pack<kCount>& gradient) const {
    Pack<kCount> moments[kMostMoments] = {};
#pragma unroll
    for (std::size_t k = 0; k < kMostMoments; ++k) {
      if (run_.moments[k] != nullptr) moments[k] = pack<kCount>(run_.moments[k] + at);
    }
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
      Element e{w.of[i], gradient.of[i], {moments[0].of[i], moments[1].of[i], moments[2].of[i]}};
      cuda::step(rule_, factors, e);
      w.of[i] = e.w;
#pragma unroll
      for (std::size_t k = 0; k < kMostMoments; ++k) moments[k].of[i] = e.moments[k];
    }
#pragma unroll
    for (std::size_t k = 0; k < kMostMoments; ++k) {
      if (run_.moments[k] != nullptr) pack<kCount>(run_.moments[k] + at) = moments[k];
    }
    return w;
  }
  __device__ float updated(const Factors& factors, std::int64_t at, float w, float gradient) const {
    return updated(factors, at, Pack<1>{w}, Pack<1>{gradient}).of[0];
  }

  __device__ void add_metrics() const {
    if (blockIdx.x == 0 && thread() < kWarp) {
      add_rows<kWarp>(run_.exchange.results, rows_, rows_, run_.metrics);
    }
  }

  const Rule& rule_;
  GridBarrier barrier_;
  bool is_last_ = false;  // of the launch's batches
};

template <class Rule>
__global__ void __launch_bounds__(kMostFusedThreads, 1)
    fused_run_kernel(const __grid_constant__ Rule rule, const __grid_constant__ FusedRun run) {
  DYNAMIC_SHARED(uint4, shared);
  const std::int64_t steps_before = run.progress != nullptr ? run.progress->steps : run.batches.step;
  Block<Rule> block(rule, run, reinterpret_cast<unsigned char*>(shared));
  for (std::int64_t batch = 0; batch < run.batches.batches; ++batch) block.run_batch(batch, steps_before);
  // All blocks have read the number: they are past a barrier.
  if (run.trains && run.progress != nullptr && blockIdx.x == 0 && threadIdx.x == 0) {
    run.progress->steps = steps_before + run.batches.batches;
  }
}

}  // namespace

int fused_barriers(const FusedPlan& plan, bool trains) {
  if (plan.layers == 1) return 2;
  return plan.layers + (trains ? plan.layers - 2 : 0);
}

int fused_resident_blocks(const Optimizer& optimizer, const FusedPlan& plan) {
  return std::visit(
      [&]<class Rule>(const Rule&) {
        allow_shared_memory(fused_run_kernel<Rule>, plan.shared_bytes);
        return resident_blocks(fused_run_kernel<Rule>, plan.threads,
                               static_cast<std::size_t>(plan.shared_bytes));
      },
      optimizer);
}

void launch_fused(const Optimizer& optimizer, const FusedRun& run, cudaStream_t stream) {
  std::visit(
      [&]<class Rule>(const Rule& rule) {
        launch(fused_run_kernel<Rule>,
               {.grid = static_cast<unsigned>(run.plan.blocks),
                .block = static_cast<unsigned>(run.plan.threads),
                .dynamic_shared = static_cast<std::size_t>(run.plan.shared_bytes),
                .cooperative = true},
               stream, rule, run);
      },
      optimizer);
}

}  // namespace warpfit::cuda
