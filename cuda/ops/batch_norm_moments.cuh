// The mean and the variance of each channel: of a chunk, of a batch, and of the rows of all ranks.
#pragma once

#include "cuda/ops/batch_norm.hpp"
#include "cuda/ops/batch_norm_chunks.cuh"

namespace warpfit::cuda {

// The mean of a channel and the sum of the squared distances to it.
struct Moments {
  float mean, squares;
};

__device__ inline Moments moments_of_chunk(const Values& values, const float* x) {
  float sum = 0;
  values.for_each([&](std::int64_t at) { sum += x[at]; });
  const float mean = values.sum(sum) / values.rows_of(blockIdx.y);
  float squares = 0;
  values.for_each([&](std::int64_t at) {
    const float distance = x[at] - mean;
    squares += distance * distance;
  });
  return {mean, values.sum(squares)};
}

__device__ inline Moments moments_of_batch(const Values& values, const float* x, const Partial& partial) {
  if (values.chunks == 1) return moments_of_chunk(values, x);
  const float mean = values.sum_of_chunks([&](unsigned chunk, std::int64_t at) {
    return values.rows_of(chunk) * partial.first[at];
  }) / static_cast<float>(values.rows);
  const float squares = values.sum_of_chunks([&](unsigned chunk, std::int64_t at) {
    const float distance = partial.first[at] - mean;
    return partial.second[at] + values.rows_of(chunk) * distance * distance;
  });
  return {mean, squares};
}

// count (1), means (channels), squares (channels)
__device__ inline float* slot_of(const RankSlots& slots, int rank, std::int64_t channels) {
  return slots.values + rank * rank_slot_size(channels);
}

// Stores the moments of this rank's values and zeros for all other ranks. If there are no values, the count
// is 0, and the moments are not read. Called by one thread of each channel.
__device__ inline void store_moments(const RankSlots& slots, const Values& values, const Moments& moments) {
  const std::int64_t channel = values.channel();
  for (int rank = 0; rank < slots.ranks; ++rank) {
    const bool is_own = rank == slots.rank;
    float* slot = slot_of(slots, rank, values.channels);
    if (channel == 0) slot[0] = is_own ? static_cast<float>(values.rows) : 0.0F;
    slot[1 + channel] = is_own ? moments.mean : 0.0F;
    slot[1 + values.channels + channel] = is_own ? moments.squares : 0.0F;
  }
}

// Chan, Golub and LeVeque: Algorithms for computing the sample variance (1983), equation 2.1.
__device__ inline Moments moments_of_ranks(const RankSlots& slots, std::int64_t channel,
                                           std::int64_t channels, float& total) {
  Moments moments{};
  total = 0;
  for (int rank = 0; rank < slots.ranks; ++rank) {
    const float* slot = slot_of(slots, rank, channels);
    const float count = slot[0];
    if (count == 0) continue;  // the rank has no rows
    const float all = total + count;
    const float distance = slot[1 + channel] - moments.mean;
    moments.mean += distance * (count / all);
    moments.squares += slot[1 + channels + channel] + distance * distance * total * (count / all);
    total = all;
  }
  return moments;
}

}  // namespace warpfit::cuda
