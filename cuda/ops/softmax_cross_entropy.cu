// A block a row, a warp where the classes are few.
#include "cuda/ops/softmax_cross_entropy.hpp"
#include "cuda/ops/softmax_cross_entropy_row.cuh"
#include "cuda/runtime/launch.hpp"

namespace warpfit::cuda {
namespace {

template <int kThreads>
__global__ void __launch_bounds__(kThreads)
    softmax_cross_entropy_kernel(const float* __restrict__ logits, const std::uint8_t* __restrict__ labels,
                                 float label_smoothing, float* dlogits, RowResult* results, Metrics* metrics,
                                 unsigned* arrived, std::int64_t rows, int classes) {
  const std::int64_t row = blockIdx.x;
  float* dz = dlogits == nullptr ? nullptr : dlogits + row * classes;
  const RowResult result = softmax_cross_entropy_row<kThreads>(logits + row * classes, labels[row],
                                                               label_smoothing, rows, classes, dz);
  if (threadIdx.x == 0) results[row] = result;
  add_up<kThreads>(results, rows, rows, metrics, arrived);
}

}  // namespace

void softmax_cross_entropy(ConstMatrix logits, ConstLabels labels, float label_smoothing, Matrix dlogits,
                           Metrics* metrics, RowResult* rows, unsigned* arrived, cudaStream_t stream) {
  const bool few = logits.cols <= kFewClasses;
  const auto kernel = few ? softmax_cross_entropy_kernel<kFew> : softmax_cross_entropy_kernel<kMany>;
  launch(kernel, {static_cast<unsigned>(logits.rows), few ? kFew : kMany}, stream, logits.data, labels.data(),
         label_smoothing, dlogits.data, rows, metrics, arrived, logits.rows, static_cast<int>(logits.cols));
}

}  // namespace warpfit::cuda
