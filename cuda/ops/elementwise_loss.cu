// loss = sum_nc value(y_nc, t_nc) / (N C), t one-hot; dy = derivative(y, t) / (N C). One block per row, which
// is a single warp if there are few classes.
#include "cuda/ops/batch_loss.cuh"
#include "cuda/ops/elementwise_loss.hpp"
#include "cuda/runtime/launch.hpp"
#include "host/backend/loss_function.hpp"

namespace warpfit::cuda {
namespace {

template <int kThreads, class Function>
__device__ RowResult elementwise_loss_row(const Function& function, const float* y, int label, float scale,
                                          int classes, float* dy) {
  const int thread = static_cast<int>(threadIdx.x);
  Highest highest{-INFINITY, classes};
  const auto of_row = for_row(function, y[label]);
  float sum = 0;
  float derivatives = 0;
  for (int c = thread; c < classes; c += kThreads) {
    highest = higher(highest, {y[c], c});
    const float target = c == label ? 1.0F : 0.0F;
    sum += of_row.value(y[c], target);
    if (dy == nullptr) continue;
    const float derivative = of_row.derivative(y[c], target);
    derivatives += derivative;
    if (!Function::kNegatesSumAtLabel || c != label) dy[c] = scale * derivative;
  }
  highest = block_highest<kThreads>(highest);
  sum = block_reduce<kThreads>(sum, [](float a, float b) { return a + b; });
  if (Function::kNegatesSumAtLabel && dy != nullptr) {
    derivatives = block_reduce<kThreads>(derivatives, [](float a, float b) { return a + b; });
    if (thread == 0) dy[label] = -scale * derivatives;
  }
  return {sum, highest.index == label ? 1 : 0};
}

template <int kThreads, class Function>
__global__ void __launch_bounds__(kThreads)
    elementwise_loss_kernel(Function function, const float* __restrict__ outputs,
                            const Label* __restrict__ labels, float* doutputs, RowResult* results,
                            Metrics* metrics, unsigned* arrived, const double* divisor, std::int64_t rows,
                            int classes) {
  const std::int64_t row = blockIdx.x;
  const double given = divisor == nullptr ? 0 : *divisor;
  const double count = (given == 0 ? static_cast<double>(rows) : given) * classes;
  if (row < rows) {  // an empty batch has one block
    float* dy = doutputs == nullptr ? nullptr : doutputs + row * classes;
    const RowResult result = elementwise_loss_row<kThreads>(function, outputs + row * classes, labels[row],
                                                            1.0F / static_cast<float>(count), classes, dy);
    if (threadIdx.x == 0) results[row] = result;
  }
  add_up<kThreads>(results, rows, count, metrics, arrived);
}

}  // namespace

void elementwise_loss(const Loss& loss, ConstMatrix outputs, ConstLabels labels, Matrix doutputs,
                      Metrics* metrics, RowResult* rows, unsigned* arrived, const double* divisor,
                      cudaStream_t stream) {
  const bool few = outputs.cols <= kFewClasses;
  with_function(loss, [&](const auto& function) {
    using Function = std::decay_t<decltype(function)>;
    const auto kernel =
        few ? elementwise_loss_kernel<kSmallBlock, Function> : elementwise_loss_kernel<kLargeBlock, Function>;
    launch(kernel, {blocks_for_rows(outputs.rows), few ? kSmallBlock : kLargeBlock}, stream, function,
           outputs.data, labels.data(), doutputs.data, rows, metrics, arrived, divisor, outputs.rows,
           static_cast<int>(outputs.cols));
  });
}

}  // namespace warpfit::cuda
