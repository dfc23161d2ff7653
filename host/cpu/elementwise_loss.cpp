// loss = sum_nc value(y_nc, t_nc) / (N C), t one-hot; dy = derivative(y, t) / (N C).
#include "host/cpu/elementwise_loss.hpp"

#include <algorithm>

#include "host/backend/loss_function.hpp"
#include "host/cpu/batch_loss.hpp"

namespace warpfit::cpu {

void elementwise_loss(ThreadPool& pool, const Loss& loss, ConstMatrix outputs, ConstLabels labels,
                      Matrix doutputs, Vector row_losses, Metrics& metrics, double divisor) {
  const std::int64_t classes = outputs.cols;
  const double count =
      (divisor == 0 ? static_cast<double>(outputs.rows) : divisor) * static_cast<double>(classes);
  const float scale = 1.0F / static_cast<float>(count);
  with_function(loss, [&](const auto& function) {
    const auto row = [=](const float* y, std::int64_t label, float* dy) -> RowResult {
      const auto of_row = for_row(function, y[label]);
      float sum = 0;
      float derivatives = 0;
      for (std::int64_t c = 0; c < classes; ++c) {
        const float target = c == label ? 1.0F : 0.0F;
        sum += of_row.value(y[c], target);
        if (dy == nullptr) continue;
        const float derivative = of_row.derivative(y[c], target);
        derivatives += derivative;
        dy[c] = scale * derivative;
      }
      if (function.kNegatesSumAtLabel && dy != nullptr) dy[label] = -scale * derivatives;
      return {sum, std::max_element(y, y + classes) - y == label};
    };
    add_rows(pool, outputs, labels, doutputs, count, row_losses, metrics, row);
  });
}

}  // namespace warpfit::cpu
