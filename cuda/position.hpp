// The current position in a run of batches, in device memory, so that a step recorded once runs for every
// batch.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "host/backend/backend.hpp"

namespace warpfit {

struct Position {
  SampleView samples;
  std::int64_t sample = 0;       ///< first sample of the next batch
  std::int64_t loaded = 0;       ///< number of batches of the run loaded so far
  const float* rates = nullptr;  ///< learning rate of each batch; if null, the first one applies to all
  std::int64_t first_step = 0;   ///< number of training steps before the run
  std::int64_t epoch = 0;        ///< of the run
  std::int64_t first_row = 0;    ///< as in BatchRun
  const double* loss_divisors = nullptr;  ///< one for each batch; if null, the first one applies to all

  // The following values are those of the current batch, which was loaded last.
  std::int64_t step = 0;  ///< number of training steps before it
  float rate = 0;
  double loss_divisor = 0;  ///< as in BatchRun
  float negative_rate = 0;  ///< for cuBLAS, which can only add
  float one = 1;            ///< for cuBLAS
  unsigned arrived = 0;     ///< number of blocks of the loading kernel that are done
};

/// Queues position = value.
void set_position(Position* position, const Position& value, cudaStream_t stream);

}  // namespace warpfit
