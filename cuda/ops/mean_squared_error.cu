// loss = sum_nc (y_nc - t_nc)^2 / (N C), t one-hot; dy = 2 (y - t) / (N C). A block a row, a warp where the
// classes are few.
#include "cuda/ops/batch_loss.cuh"
#include "cuda/ops/mean_squared_error.hpp"
#include "cuda/runtime/launch.hpp"

namespace warpfit::cuda {
namespace {

template <int kThreads>
__global__ void __launch_bounds__(kThreads)
    mean_squared_error_kernel(const float* __restrict__ outputs, const std::uint8_t* __restrict__ labels,
                              float* doutputs, RowResult* results, Metrics* metrics, unsigned* arrived,
                              std::int64_t rows, int classes) {
  const int thread = static_cast<int>(threadIdx.x);
  const std::int64_t row = blockIdx.x;
  const float* y = outputs + row * classes;
  const int label = labels[row];
  const std::int64_t count = rows * classes;
  const float scale = 2.0F / static_cast<float>(count);

  Highest highest{-INFINITY, classes};
  float sum = 0;
  for (int c = thread; c < classes; c += kThreads) {
    highest = higher(highest, {y[c], c});
    const float error = y[c] - (c == label ? 1.0F : 0.0F);
    sum += error * error;
    if (doutputs != nullptr) doutputs[row * classes + c] = scale * error;
  }
  highest = block_highest<kThreads>(highest);
  sum = block_reduce<kThreads>(sum, [](float a, float b) { return a + b; });
  if (thread == 0) results[row] = {sum, highest.index == label ? 1 : 0};
  add_up<kThreads>(results, rows, count, metrics, arrived);
}

}  // namespace

void mean_squared_error(ConstMatrix outputs, ConstLabels labels, Matrix doutputs, Metrics* metrics,
                        RowResult* rows, unsigned* arrived, cudaStream_t stream) {
  const bool few = outputs.cols <= kFewClasses;
  const auto kernel = few ? mean_squared_error_kernel<kFew> : mean_squared_error_kernel<kMany>;
  launch(kernel, {static_cast<unsigned>(outputs.rows), few ? kFew : kMany}, stream, outputs.data,
         labels.data(), doutputs.data, rows, metrics, arrived, outputs.rows, static_cast<int>(outputs.cols));
}

}  // namespace warpfit::cuda
