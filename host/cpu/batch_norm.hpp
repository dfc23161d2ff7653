// Batch normalization, with the sums of each channel in double precision as PyTorch has them.
#pragma once

#include <span>
#include <vector>

#include "host/backend/operation.hpp"
#include "host/backend/views.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// The mean of each channel and the sum of the squared deviations from it, over `count` values per channel.
struct BatchNormMoments {
  double count = 0;
  std::vector<double> means, squares;
};

/// What the backward pass needs of the forward pass: mean and 1 / sqrt(variance + eps) of each channel, and
/// the number of values per channel.
struct BatchNormStatistics {
  Vector mean, inverse_deviation;
  double& count;
};

/// The moments of x, which may have no rows.
[[nodiscard]] BatchNormMoments batch_norm_moments(ThreadPool& pool, const BatchNormOperation& operation,
                                                  ConstMatrix x);

/// y, from the moments of the batch, whose statistics are left in `batch`; moves the running ones. `tensors`
/// and `state`: the operation's.
void batch_norm_forward(ThreadPool& pool, const BatchNormOperation& operation, ConstMatrix x,
                        const BatchNormMoments& moments, std::span<const Vector> tensors,
                        std::span<const Vector> state, const BatchNormStatistics& batch, Matrix y);

/// y, from the running statistics.
void batch_norm_evaluate(ThreadPool& pool, const BatchNormOperation& operation, ConstMatrix x,
                         std::span<const Vector> tensors, std::span<const Vector> state, Matrix y);

/// The gradients of weight and bias, summed over the rows of x and dy.
void batch_norm_gradients(ThreadPool& pool, const BatchNormOperation& operation, ConstMatrix x,
                          ConstMatrix dy, const BatchNormStatistics& batch, Vector dweight, Vector dbias);

/// dx, from the gradients of weight and bias, summed over the rows of the batch.
void batch_norm_backward_input(ThreadPool& pool, const BatchNormOperation& operation, ConstMatrix x,
                               ConstMatrix dy, ConstVector weight, const BatchNormStatistics& batch,
                               ConstVector dweight, ConstVector dbias, Matrix dx);

}  // namespace warpfit::cpu
