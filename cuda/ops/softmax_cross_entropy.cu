// One block per row, which is a single warp if there are few classes.
#include "cuda/ops/softmax_cross_entropy.hpp"
#include "cuda/ops/softmax_cross_entropy_row.cuh"
#include "cuda/runtime/launch.hpp"

namespace warpfit::cuda {
namespace {

template <int kThreads, bool kWeighted>
__global__ void __launch_bounds__(kThreads)
    softmax_cross_entropy_kernel(const float* __restrict__ logits, const Label* __restrict__ labels,
                                 float label_smoothing, ClassWeights weights, float* dlogits,
                                 RowResult* results, Metrics* metrics, unsigned* arrived,
                                 const double* divisor, std::int64_t rows, int classes) {
  const std::int64_t row = blockIdx.x;
  double count = divisor == nullptr ? 0 : *divisor;
  if (count == 0) {
    count = static_cast<double>(rows);
    if constexpr (kWeighted) {
      count = 0;
      for (std::int64_t n = threadIdx.x; n < rows; n += kThreads) count += weights.of[labels[n]];
      count = block_reduce<kThreads>(count, [](double a, double b) { return a + b; });
    }
  }
  if (row < rows) {  // an empty batch has one block
    float* dz = dlogits == nullptr ? nullptr : dlogits + row * classes;
    const RowResult result = softmax_cross_entropy_row<kThreads, kWeighted>(
        logits + row * classes, labels[row], label_smoothing, 1.0F / static_cast<float>(count), classes, dz,
        weights);
    if (threadIdx.x == 0) results[row] = result;
  }
  add_up<kThreads>(results, rows, count, metrics, arrived);
}

}  // namespace

void softmax_cross_entropy(const Loss& loss, const float* class_weights, ConstMatrix logits,
                           ConstLabels labels, Matrix dlogits, Metrics* metrics, RowResult* rows,
                           unsigned* arrived, const double* divisor, cudaStream_t stream) {
  const bool few = logits.cols <= kFewClasses;
  ClassWeights weights{class_weights};
  for (const float weight : loss.class_weights) weights.sum += weight;
  const auto unweighted = few ? softmax_cross_entropy_kernel<kSmallBlock, false>
                              : softmax_cross_entropy_kernel<kLargeBlock, false>;
  const auto weighted =
      few ? softmax_cross_entropy_kernel<kSmallBlock, true> : softmax_cross_entropy_kernel<kLargeBlock, true>;
  launch(class_weights == nullptr ? unweighted : weighted,
         {blocks_for_rows(logits.rows), few ? kSmallBlock : kLargeBlock}, stream, logits.data, labels.data(),
         loss.label_smoothing, weights, dlogits.data, rows, metrics, arrived, divisor, logits.rows,
         static_cast<int>(logits.cols));
}

}  // namespace warpfit::cuda
