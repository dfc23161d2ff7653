// Checks whether the kernels of this build can run on a GPU.
#pragma once

#include <string>

namespace warpfit {

/// The reason why the kernels cannot run on the GPU `device`, which is current in the calling thread; empty
/// if they can. A build contains code for certain architectures only (WARPFIT_CUDA_ARCHITECTURES).
std::string kernel_code_problem(int device);

}  // namespace warpfit
