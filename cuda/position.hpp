// Where a run of batches has got to, in device memory, so that a step recorded once runs for every batch.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "host/backend/backend.hpp"

namespace warpfit {

struct Position {
  SampleView samples;
  std::int64_t sample = 0;       ///< first sample of the batch that is loaded next
  std::int64_t loaded = 0;       ///< batches of the run that were loaded
  const float* rates = nullptr;  ///< learning rate of each batch; without it all have the first
  std::int64_t first_step = 0;   ///< steps of training before the run

  // Of the current batch, the one loaded last.
  std::int64_t step = 0;  ///< steps of training before it
  float rate = 0;
  float negative_rate = 0;  ///< for cuBLAS, which adds
  float one = 1;            ///< likewise
  unsigned arrived = 0;     ///< blocks of the loading kernel that are done
};

/// Queues position = value.
void set_position(Position* position, const Position& value, cudaStream_t stream);

}  // namespace warpfit
