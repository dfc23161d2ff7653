// Where a run of batches has got to, in device memory, so that a step recorded once runs for every batch.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "host/backend/backend.hpp"

namespace warpfit {

struct Position {
  SampleView samples;
  std::int64_t sample = 0;  ///< first sample of the current batch
  float rate = 0;
  float negative_rate = 0;  ///< for cuBLAS, which adds
  float one = 1;            ///< likewise
  unsigned arrived = 0;     ///< blocks of the loading kernel that are done
};

/// Queues position = value.
void set_position(Position* position, const Position& value, cudaStream_t stream);

}  // namespace warpfit
