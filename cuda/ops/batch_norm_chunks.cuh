// The values of a batch as a matrix with a column for each channel, which is divided into chunks of rows, and
// sums over its columns in a fixed order.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cuda/device/kernel.cuh"

namespace warpfit::cuda {

constexpr int kThreads = 256;
constexpr int kMaxChannels = 32;            // of a block
constexpr std::int64_t kRowsOfThread = 16;  // at least, if there is more than one chunk
constexpr std::int64_t kMaxBlocks = 512;

// A block has `width` adjacent channels of a chunk; `width` is a power of two.
struct Values {
  std::int64_t rows, channels;
  int width;
  unsigned chunks;

  __host__ Values(std::int64_t batch_rows, std::int64_t batch_channels)
      : rows(batch_rows), channels(batch_channels), width(1), chunks(1) {
    while (width < channels && width < kMaxChannels) width *= 2;
    const std::int64_t rows_of_chunk = kRowsOfThread * kThreads / width;
    chunks = static_cast<unsigned>(
        std::clamp(rows / rows_of_chunk, std::int64_t{1}, std::max(kMaxBlocks / tiles(), std::int64_t{1})));
  }
  [[nodiscard]] __host__ std::int64_t tiles() const { return (channels + width - 1) / width; }

  __device__ std::int64_t channel() const {
    return std::int64_t{blockIdx.x} * width + threadIdx.x % static_cast<unsigned>(width);
  }
  // The number of threads with the same channel, and the index of this thread among them.
  __device__ unsigned threads() const { return kThreads / static_cast<unsigned>(width); }
  __device__ unsigned index() const { return threadIdx.x / static_cast<unsigned>(width); }
  __device__ std::int64_t first_row(unsigned chunk) const { return rows * chunk / chunks; }
  __device__ float rows_of(unsigned chunk) const {
    return static_cast<float>(first_row(chunk + 1) - first_row(chunk));
  }

  // visit(offset) for this thread's values in its block's chunk.
  template <class Visit>
  __device__ void for_each(Visit visit) const {
    if (channel() >= channels) return;
    const std::int64_t end = first_row(blockIdx.y + 1);
    for (std::int64_t row = first_row(blockIdx.y) + index(); row < end; row += threads())
      visit(row * channels + channel());
  }

  // Sums the values of all threads with the same channel; each of them gets the sum. Called by all threads.
  __device__ float sum(float value) const {
    SHARED_ARRAY(float, partial, kThreads);
    __syncthreads();  // the reads of the previous call are done
    partial[threadIdx.x] = value;
    __syncthreads();
    for (unsigned half = kThreads / 2; half >= static_cast<unsigned>(width); half /= 2) {
      if (threadIdx.x < half) partial[threadIdx.x] += partial[threadIdx.x + half];
      __syncthreads();
    }
    return partial[threadIdx.x % static_cast<unsigned>(width)];
  }

  // The sum of term(chunk, offset of the channel's statistics of that chunk) over all chunks. Called by all
  // threads.
  template <class Term>
  __device__ float sum_of_chunks(Term term) const {
    float value = 0;
    for (unsigned chunk = index(); channel() < channels && chunk < chunks; chunk += threads())
      value += term(chunk, chunk * channels + channel());
    return sum(value);
  }
};

// Two statistics of each channel of each chunk.
struct Partial {
  float *first, *second;

  __device__ void store(const Values& values, float a, float b) const {
    if (values.channel() >= values.channels || values.index() != 0) return;
    const std::int64_t at = blockIdx.y * values.channels + values.channel();
    first[at] = a;
    second[at] = b;
  }
};

}  // namespace warpfit::cuda
