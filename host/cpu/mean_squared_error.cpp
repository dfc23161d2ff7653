// loss = sum_nc (y_nc - t_nc)^2 / (N C), t one-hot; dy = 2 (y - t) / (N C).
#include "host/cpu/mean_squared_error.hpp"

#include <algorithm>

#include "host/cpu/batch_loss.hpp"

namespace warpfit::cpu {

void mean_squared_error(ThreadPool& pool, ConstMatrix outputs, ConstLabels labels, Matrix doutputs,
                        Vector row_losses, Metrics& metrics) {
  const std::int64_t classes = outputs.cols;
  const float scale = 2.0F / static_cast<float>(outputs.size());
  const auto row = [=](const float* y, std::int64_t label, float* dy) -> RowResult {
    float sum = 0;
    for (std::int64_t c = 0; c < classes; ++c) {
      const float error = y[c] - (c == label ? 1.0F : 0.0F);
      sum += error * error;
      if (dy != nullptr) dy[c] = scale * error;
    }
    return {sum, std::max_element(y, y + classes) - y == label};
  };
  add_batch(pool, outputs, labels, doutputs, outputs.size(), row_losses, metrics, row);
}

}  // namespace warpfit::cpu
