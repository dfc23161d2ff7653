// What there is of CUDA, for `warpfit devices`.
#pragma once

#include "host/backend/cuda_interface.hpp"

namespace warpfit {

/// Fills in versions, GPUs, and why there are none. A GPU that fails is told as such: nothing is thrown.
void find_parts(CudaParts& parts);

}  // namespace warpfit
