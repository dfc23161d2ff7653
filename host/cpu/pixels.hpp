// Converts the bytes of samples to values, as torchvision's transforms do.
#pragma once

#include "host/backend/backend.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// x (N, K): the samples of `run` from run.first on, transformed.
void load_samples(ThreadPool& pool, const PixelTransform& transform, const BatchRun& run, Matrix x);

}  // namespace warpfit::cpu
