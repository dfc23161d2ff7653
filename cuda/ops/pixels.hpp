// Converts bytes to floats, as torchvision's ToTensor does. CPU counterpart: host/cpu/pixels.
#pragma once

#include <cuda_runtime_api.h>

#include "cuda/position.hpp"
#include "host/backend/views.hpp"

namespace warpfit::cuda {

/// x (N, K) = float(pixel) / 255 and labels (N) of the batch at `position`, which is then advanced by N
/// samples.
void load_batch(Position* position, Matrix x, Labels labels, cudaStream_t stream);

}  // namespace warpfit::cuda
