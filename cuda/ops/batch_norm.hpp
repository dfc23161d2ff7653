// Batch normalization of vectors and images. CPU counterpart: host/cpu/batch_norm.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <span>

#include "host/backend/operation.hpp"
#include "host/backend/views.hpp"

namespace warpfit::cuda {

/// Results of the forward pass for the backward pass: mean and 1 / sqrt(variance + eps) of each channel, and
/// the number of values per channel (1), which only synchronized batch normalization changes.
struct BatchNormStatistics {
  Vector mean, inverse_deviation, count;
};

/// What the ranks exchange for synchronized batch normalization, in device memory: a slot of rank_slot_size()
/// floats for each rank.
struct RankSlots {
  float* values = nullptr;
  int rank = 0, ranks = 1;
};

/// The number of values per channel, the mean of each channel and the sum of the squared distances to it.
constexpr std::int64_t rank_slot_size(std::int64_t channels) { return 1 + 2 * channels; }

/// The number of floats of scratch memory that the functions below need for batches of `rows` rows.
std::int64_t batch_norm_scratch(const BatchNormOperation& operation, std::int64_t rows);

/// Stores the statistics of x, which may have no rows, in this rank's slot, and 0 in all others, so that the
/// sum over all ranks has the statistics of all of them without rounding.
void batch_norm_rank_moments(const BatchNormOperation& operation, ConstMatrix x, Vector scratch,
                             const RankSlots& slots, cudaStream_t stream);

/// Computes y with the batch's statistics, stores these in `batch`, and updates the running statistics.
/// `tensors` and `state` are those of the operation. The statistics are those of x, or of all ranks if there
/// are `slots`, which are summed over the ranks.
void batch_norm_forward(const BatchNormOperation& operation, ConstMatrix x, std::span<const Vector> tensors,
                        std::span<const Vector> state, const BatchNormStatistics& batch, Vector scratch,
                        const RankSlots& slots, Matrix y, cudaStream_t stream);

/// Computes y with the running statistics.
void batch_norm_evaluate(const BatchNormOperation& operation, ConstMatrix x, std::span<const Vector> tensors,
                         std::span<const Vector> state, Matrix y, cudaStream_t stream);

/// Computes the gradients of weight and bias as sums over the rows of x, and dx unless it is empty.
void batch_norm_backward(const BatchNormOperation& operation, ConstMatrix x, ConstMatrix dy,
                         ConstVector weight, const BatchNormStatistics& batch, Vector scratch, Vector dweight,
                         Vector dbias, Matrix dx, cudaStream_t stream);

/// Computes dx from the gradients of weight and bias, summed over the rows of the batch.
void batch_norm_backward_input(const BatchNormOperation& operation, ConstMatrix x, ConstMatrix dy,
                               ConstVector weight, const BatchNormStatistics& batch, Vector dweight,
                               Vector dbias, Matrix dx, cudaStream_t stream);

}  // namespace warpfit::cuda
