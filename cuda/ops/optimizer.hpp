// The optimizers on flat buffers, one launch per update. CPU counterpart: host/cpu/optimizer.
#pragma once

#include <cuda_runtime_api.h>

#include "host/backend/optimizer.hpp"

namespace warpfit::cuda {

/// See Backend::optimizer_update; `rate` is read on the device.
void optimizer_update(const Optimizer& optimizer, const OptimizerViews& views, const float* rate,
                      cudaStream_t stream);

}  // namespace warpfit::cuda
