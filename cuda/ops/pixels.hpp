// Converts the bytes of samples to values, as torchvision's transforms do. CPU counterpart: host/cpu/pixels.
#pragma once

#include <cuda_runtime_api.h>

#include "cuda/position.hpp"
#include "host/backend/pixel_transform.hpp"
#include "host/backend/views.hpp"

namespace warpfit::cuda {

/// x (N, K), transformed, and labels (N) of the batch at `position`, which is then advanced by N samples.
void load_batch(const PixelTransform& transform, Position* position, Matrix x, Labels labels,
                cudaStream_t stream);
/// x (N, K): the batch of N samples before `position`, transformed.
void load_again(const PixelTransform& transform, const Position* position, Matrix x, cudaStream_t stream);

}  // namespace warpfit::cuda
