// The CUDA components of the system, for `warpfit devices`.
#pragma once

#include "host/backend/cuda_interface.hpp"

namespace warpfit {

/// Fills in the versions and the GPUs, or the reason why there are none. A GPU that fails is reported as
/// such; nothing is thrown.
void find_parts(CudaParts& parts);

}  // namespace warpfit
