// Batch normalization of vectors and images. CPU counterpart: host/cpu/batch_norm.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <span>

#include "host/backend/operation.hpp"
#include "host/backend/views.hpp"

namespace warpfit::cuda {

/// Results of the forward pass for the backward pass: mean and 1 / sqrt(variance + eps) of each channel.
struct BatchNormStatistics {
  Vector mean, inverse_deviation;
};

/// The number of floats of scratch memory that the functions below need for batches of `rows` rows.
std::int64_t batch_norm_scratch(const BatchNormOperation& operation, std::int64_t rows);

/// Computes y with the batch's statistics, stores these in `batch`, and updates the running statistics.
/// `tensors` and `state` are those of the operation.
void batch_norm_forward(const BatchNormOperation& operation, ConstMatrix x, std::span<const Vector> tensors,
                        std::span<const Vector> state, const BatchNormStatistics& batch, Vector scratch,
                        Matrix y, cudaStream_t stream);

/// Computes y with the running statistics.
void batch_norm_evaluate(const BatchNormOperation& operation, ConstMatrix x, std::span<const Vector> tensors,
                         std::span<const Vector> state, Matrix y, cudaStream_t stream);

/// Computes the gradients of weight and bias, and dx unless it is empty.
void batch_norm_backward(const BatchNormOperation& operation, ConstMatrix x, ConstMatrix dy,
                         ConstVector weight, const BatchNormStatistics& batch, Vector scratch, Vector dweight,
                         Vector dbias, Matrix dx, cudaStream_t stream);

}  // namespace warpfit::cuda
