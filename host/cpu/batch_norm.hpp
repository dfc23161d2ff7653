// Batch normalization, with the sums of each channel in double precision as PyTorch has them.
#pragma once

#include <span>

#include "host/backend/operation.hpp"
#include "host/backend/views.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// What the backward pass needs of the forward pass: mean and 1 / sqrt(variance + eps) of each channel.
struct BatchNormStatistics {
  Vector mean, inverse_deviation;
};

/// y, from the statistics of the batch, which are left in `batch`; moves the running ones. `tensors` and
/// `state`: the operation's.
void batch_norm_forward(ThreadPool& pool, const BatchNormOperation& operation, ConstMatrix x,
                        std::span<const Vector> tensors, std::span<const Vector> state,
                        const BatchNormStatistics& batch, Matrix y);

/// y, from the running statistics.
void batch_norm_evaluate(ThreadPool& pool, const BatchNormOperation& operation, ConstMatrix x,
                         std::span<const Vector> tensors, std::span<const Vector> state, Matrix y);

/// The gradients of weight and bias.
void batch_norm_gradients(ThreadPool& pool, const BatchNormOperation& operation, ConstMatrix x,
                          ConstMatrix dy, const BatchNormStatistics& batch, Vector dweight, Vector dbias);

/// dx, from the gradients of weight and bias.
void batch_norm_backward_input(ThreadPool& pool, const BatchNormOperation& operation, ConstMatrix x,
                               ConstMatrix dy, ConstVector weight, const BatchNormStatistics& batch,
                               ConstVector dweight, ConstVector dbias, Matrix dx);

}  // namespace warpfit::cpu
