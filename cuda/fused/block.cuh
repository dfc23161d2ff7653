// The persistent trainer: one cooperative launch trains a run of batches, from forward to update. Block j
// owns the same few columns (`own`) of all hidden layers (plan.hpp). A step for layers 0 .. L-1 and values
// v_0 .. v_L:
//
//   v_i[:, own] = relu(v_(i-1) w_(i-1)[own]' + b)     from gathered v_(i-1);      barrier, for each i < L-1
//   v_(L-1)[:, own] likewise, and v_(L-1)[:, own] w_(L-1)[:, own]';               barrier
//   logits (the sums of these), loss and dlogits of the rows that this block serves;   barrier
//   d_(L-1)[:, own] = (dlogits w_(L-1)[:, own]) where v > 0;                      barrier
//   d_i[:, own] = (d_(i+1) w_i[:, own]) where v > 0   from gathered d_(i+1);      barrier, for each i > 1
//
// Between arriving at a barrier and waiting for it, a block does work that only it needs: w_i[own] is updated
// once d_(i+1)[:, own] is known. There are 2 L - 2 barriers: 4 for the tutorial's three layers. While the
// blocks wait for the logits, they read other blocks' columns of w_i; each owner writes its columns only
// after the barrier that ends these reads. Columns of w_(L-1) are read only by their owner.
#pragma once

#include <type_traits>

#include "cuda/device/grid_barrier.cuh"
#include "cuda/fused/passes.cuh"
#include "cuda/fused/phase_clock.cuh"
#include "cuda/fused/row_sums.cuh"
#include "host/backend/optimizer_formula.hpp"

namespace warpfit::cuda {

template <class Rule, FusedCode kCode>
class Block : Passes<kCode> {
  using Memory = Passes<kCode>;
  using Memory::kKnown, Memory::run_, Memory::plan, Memory::rows, Memory::thread, Memory::threads,
      Memory::top, Memory::floats, Memory::weights, Memory::outgoing_weights, Memory::biases, Memory::values,
      Memory::gradients, Memory::pixels, Memory::pixel_stride, Memory::own_stride, Memory::stride,
      Memory::first_column, Memory::own_columns, Memory::weight_at, Memory::label_of, Memory::in_packs,
      Memory::for_each, Memory::load_parameters, Memory::load_lower, Memory::lower, Memory::pixel_gradients,
      Memory::load_pixels, Memory::prepare_copies, Memory::begin_pixels, Memory::keep_pixels,
      Memory::prefetch_samples, Memory::gather, Memory::gathered, Memory::load_outgoing_weights,
      Memory::own_pixels, Memory::add_to_logits, Memory::serve_rows, Memory::forward_layer,
      Memory::backward_layer;

 public:
  __device__ Block(const Rule& rule, const FusedRun& run, unsigned char* shared)
      : Memory(run, shared),
        rule_(rule),
        barrier_(run.exchange.arrived, run.passed, run.timeout),
        clock_(run.exchange.phase_nanoseconds) {
    load_parameters();
    if constexpr (kCode == FusedCode::kTutorialOwner) {
      __syncthreads();  // all memory is set to 0 before
      load_lower();
      prepare_copies();
      begin_pixels(run.batches.first);
    }
    __syncthreads();
  }

  __device__ void run_batch(std::int64_t batch, std::int64_t steps_before) {
    const std::int64_t first = run_.batches.first + batch * rows();
    is_last_ = batch + 1 == run_.batches.batches;
    // Loaded early, because it comes from the data set in global memory.
    const int first_row = static_cast<int>(blockIdx.x);
    const int first_label = first_row < rows() ? label_of(first + first_row) : 0;
    if constexpr (!kKnown) load_pixels(first);
    if (thread() == 0 && run_.trains) {
      const float rate = run_.batches.rates != nullptr ? run_.batches.rates[batch] : run_.batches.rate;
      *step_constants() = step_constants_of(rule_, rate, steps_before + batch + 1, 0);
    }
    __syncthreads();
    clock_.end(FusedPhase::kPixels);
    forward();
    serve_rows(first, first_label);
    barrier_.arrive();
    if (!is_last_) prefetch_samples(first + rows());
    clock_.end(FusedPhase::kLoss);
    barrier_.wait();
    clock_.end(FusedPhase::kLossWait);
    if (run_.trains) {
      backward(first + rows());
    } else {
      if (kCode == FusedCode::kTutorialOwner && !is_last_) begin_pixels(first + rows());
      add_metrics();
    }
    __syncthreads();
  }

 private:
  __device__ void forward() {
    for_each(1, plan().layers, [&](int i) {
      if (i > 1) barrier_.wait();
      if (i > 1) clock_.end(FusedPhase::kHiddenWait);
      forward_layer(i);
      if (i < top()) barrier_.arrive();
      if (kCode == FusedCode::kTutorialOwner && i == 1) keep_pixels();
      clock_.end(i == 1 ? FusedPhase::kFirstLayer : FusedPhase::kHiddenLayers);
    });
    if (top() == 0) own_pixels();
    __syncthreads();
    add_to_logits();
    barrier_.arrive();
    clock_.end(FusedPhase::kPartLogits);
    if (run_.trains) {  // nobody writes weights until all have arrived with their dlogits
      for_each(1, top(), [&](int i) { load_outgoing_weights(i); });
    }
    clock_.end(FusedPhase::kNextWeights);
    barrier_.wait();
    clock_.end(FusedPhase::kLogitsWait);
  }

  __device__ void backward(std::int64_t next) {
    gather(run_.exchange.dlogits, stride(plan().layers), floats(plan().dlogits));
    __syncthreads();
    if (top() > 0) backward_layer(top());
    clock_.end(FusedPhase::kTopGradients);
    for_each(2, top() + 1, [&](int upwards) {
      const int i = top() + 2 - upwards;
      if (i < top()) {  // gather the next layer's inputs before their owners overwrite them
        __syncthreads();
        gather(run_.exchange.values[i - 1], i - 1);
      }
      barrier_.arrive();
      if (i == top()) update_last();
      update(i - 1, gathered(i - 1), 1.0F);
      clock_.end(FusedPhase::kUpdates);
      barrier_.wait();
      clock_.end(FusedPhase::kGradientsWait);
      backward_layer(i - 1);
      clock_.end(FusedPhase::kHiddenGradients);
    });
    if (kCode == FusedCode::kTutorialOwner && !is_last_) begin_pixels(next);
    __syncthreads();
    if (top() < 2) update_last();
    if (top() > 0) update(0, Rows<std::uint8_t>{pixels(), pixel_stride()}, kPixelScale);
    clock_.end(FusedPhase::kFirstUpdate);
  }

  /// The rows of this layer's weights from which the block computed its latest gradients.
  template <class T>
  __device__ void update(int layer, Rows<T> x, float scale) {
    const int width = plan().widths[layer];
    const int first = first_column(layer + 1);
    const int own = own_columns(layer + 1);
    const auto constants = *step_constants();
    const Rows<float> d{gradients(), own_stride(layer + 1)};
    const bool packed = in_packs(layer);
    const bool is_read = layer > 0 || is_last_;  // by other blocks, or after this launch
    const auto apply = [&]<int kCount>(std::int64_t at, Pack<kCount>& w, const Pack<kCount>& gradient) {
      w = updated(constants, at, w, gradient);
      if (is_read) pack<kCount>(run_.parameters + at) = w;
    };
    if constexpr (kCode == FusedCode::kTutorialOwner && std::is_same_v<T, std::uint8_t>) {
      pixel_gradients([&](int j, int k, Pack<2> g) {
        auto& w = pack<2>(weights(0) + j * stride(0) + k);
        apply(weight_at(0, first + j, k), w, Pack<2>{g.of[0] * scale, g.of[1] * scale});
        pack<2>(lower(j, k)) = {lower_bits(w.of[0]), lower_bits(w.of[1])};
      });
    } else {
      outer_products(threads(), d, x, rows(), own, stride(layer), [&](int j, int k, float4 g) {
        float* w = weights(layer) + j * stride(layer) + k;
        const std::int64_t at = weight_at(layer, first + j, k);
        const Pack<kVector> gradient{g.x * scale, g.y * scale, g.z * scale, g.w * scale};
        if (packed) {
          apply(at, pack<kVector>(w), gradient);
        } else {
#pragma unroll
          for (int i = 0; i < kVector; ++i) {
            if (k + i < width) apply(at + i, pack<1>(w + i), Pack<1>{gradient.of[i]});
          }
        }
      });
    }
    sums_over_rows(
        threads(), 1, own, rows(), [&](int n, int, int j) { return d.row(n)[j]; },
        [&](int, int j, float sum) {
          const std::int64_t at = run_.biases[layer] + first + j;
          float& b = biases(layer)[j];
          b = run_.parameters[at] = updated(constants, at, b, sum);
        });
  }

  /// Updates the columns of the last layer's weights that read own values; the last block of the grid updates
  /// its biases and the metrics. If there is a spare multiprocessor, that block owns nothing else, and no
  /// block waits for it.
  __device__ void update_last() {
    const int classes = plan().widths[plan().layers];
    const int own = own_columns(top());
    const auto constants = *step_constants();
    const float* dlogits = floats(plan().dlogits);
    const float* x = values(top());
    const int class_stride = stride(plan().layers);
    const int value_stride = own_stride(top());
    sums_over_rows(
        threads(), own, classes, rows(),
        [&](int n, int j, int m) { return dlogits[n * class_stride + m] * x[n * value_stride + j]; },
        [&](int j, int m, float sum) {
          const std::int64_t at = weight_at(top(), m, first_column(top()) + j);
          float& w = outgoing_weights(top())[j * class_stride + m];
          w = updated(constants, at, w, sum);
          if (is_last_) run_.parameters[at] = w;
        });
    if (!is_last_block()) return;
    sums_over_rows(
        threads(), 1, classes, rows(), [&](int n, int, int m) { return dlogits[n * class_stride + m]; },
        [&](int, int m, float sum) {
          const std::int64_t at = run_.biases[top()] + m;
          run_.parameters[at] = updated(constants, at, run_.parameters[at], sum);
        });
    add_metrics();
  }

  __device__ auto* step_constants() const {
    using StepConstants = decltype(step_constants_of(rule_, 0.0F, 0, 0.0F));
    static_assert(sizeof(StepConstants) <= kStepConstantsBytes);
    return static_cast<StepConstants*>(Memory::step_constants());
  }

  __device__ void add_metrics() const {
    if (is_last_block() && thread() < kWarp) {
      add_rows<kWarp>(run_.exchange.results, rows(), rows(), run_.metrics);
    }
  }

  __device__ static bool is_last_block() {
    return kKnown ? kCode == FusedCode::kTutorialLast : blockIdx.x == gridDim.x - 1;
  }

  /// The parameters from `at` on, after the update.
  template <int kCount, class StepConstants>
  __device__ Pack<kCount> updated(const StepConstants& constants, std::int64_t at, Pack<kCount> w,
                                  const Pack<kCount>& gradient) const {
    const KeptMoments<Rule, Pointers> kept{Pointers{run_}};
    Pack<kCount> moments[kMaxMoments] = {};
#pragma unroll
    for (int k = 0; k < kMoments; ++k) {
      if (kept.has(k)) moments[k] = pack<kCount>(run_.moments[k] + at);
    }
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
      Element e{w.of[i], gradient.of[i], moments[0].of[i], moments[1].of[i], moments[2].of[i]};
      warpfit::update(rule_, constants, kept, e);
      w.of[i] = e.w;
#pragma unroll
      for (int k = 0; k < kMoments; ++k) moments[k].of[i] = e.moment(k);
    }
#pragma unroll
    for (int k = 0; k < kMoments; ++k) {
      if (kept.has(k)) pack<kCount>(run_.moments[k] + at) = moments[k];
    }
    return w;
  }
  template <class StepConstants>
  __device__ float updated(const StepConstants& constants, std::int64_t at, float w, float gradient) const {
    return updated(constants, at, Pack<1>{w}, Pack<1>{gradient}).of[0];
  }

  /// Pointers to the moments; none if the optimizer is known to be plain SGD.
  struct Pointers {
    const FusedRun& run;
    __device__ float* operator[](std::size_t k) const { return kKnown ? nullptr : run.moments[k]; }
  };
  static constexpr int kMoments = kKnown ? 0 : static_cast<int>(kMaxMoments);

  const Rule& rule_;
  GridBarrier barrier_;
  PhaseClock clock_;
  bool is_last_ = false;  // whether this is the last batch of the launch
};

}  // namespace warpfit::cuda
