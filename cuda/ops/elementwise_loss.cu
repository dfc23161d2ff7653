// loss = sum_nc value(y_nc, t_nc) / (N C), t one-hot; dy = derivative(y, t) / (N C). One block per row, which
// is a single warp if there are few classes.
#include "cuda/ops/batch_loss.cuh"
#include "cuda/ops/elementwise_loss.hpp"
#include "cuda/runtime/launch.hpp"
#include "host/backend/loss_function.hpp"

namespace warpfit::cuda {
namespace {

template <int kThreads, class Function>
__global__ void __launch_bounds__(kThreads)
    elementwise_loss_kernel(Function function, const float* __restrict__ outputs,
                            const Label* __restrict__ labels, float* doutputs, RowResult* results,
                            Metrics* metrics, unsigned* arrived, std::int64_t rows, int classes) {
  const int thread = static_cast<int>(threadIdx.x);
  const std::int64_t row = blockIdx.x;
  const float* y = outputs + row * classes;
  const int label = labels[row];
  const std::int64_t count = rows * classes;
  const float scale = 1.0F / static_cast<float>(count);

  Highest highest{-INFINITY, classes};
  const auto of_row = for_row(function, y[label]);
  float sum = 0;
  float derivatives = 0;
  for (int c = thread; c < classes; c += kThreads) {
    highest = higher(highest, {y[c], c});
    const float target = c == label ? 1.0F : 0.0F;
    sum += of_row.value(y[c], target);
    if (doutputs == nullptr) continue;
    const float derivative = of_row.derivative(y[c], target);
    derivatives += derivative;
    if (!Function::kNegatesSumAtLabel || c != label) doutputs[row * classes + c] = scale * derivative;
  }
  highest = block_highest<kThreads>(highest);
  sum = block_reduce<kThreads>(sum, [](float a, float b) { return a + b; });
  if (Function::kNegatesSumAtLabel && doutputs != nullptr) {
    derivatives = block_reduce<kThreads>(derivatives, [](float a, float b) { return a + b; });
    if (thread == 0) doutputs[row * classes + label] = -scale * derivatives;
  }
  if (thread == 0) results[row] = {sum, highest.index == label ? 1 : 0};
  add_up<kThreads>(results, rows, static_cast<double>(count), metrics, arrived);
}

}  // namespace

void elementwise_loss(const Loss& loss, ConstMatrix outputs, ConstLabels labels, Matrix doutputs,
                      Metrics* metrics, RowResult* rows, unsigned* arrived, cudaStream_t stream) {
  const bool few = outputs.cols <= kFewClasses;
  with_function(loss, [&](const auto& function) {
    using Function = std::decay_t<decltype(function)>;
    const auto kernel =
        few ? elementwise_loss_kernel<kSmallBlock, Function> : elementwise_loss_kernel<kLargeBlock, Function>;
    launch(kernel, {static_cast<unsigned>(outputs.rows), few ? kSmallBlock : kLargeBlock}, stream, function,
           outputs.data, labels.data(), doutputs.data, rows, metrics, arrived, outputs.rows,
           static_cast<int>(outputs.cols));
  });
}

}  // namespace warpfit::cuda
