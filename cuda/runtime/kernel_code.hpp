// Whether this build's kernels can run on a GPU.
#pragma once

#include <string>

namespace warpfit {

/// Why the kernels cannot run on the GPU `device`, which is the calling thread's; empty if they can. A build
/// has code for some architectures only (WARPFIT_CUDA_ARCHITECTURES).
std::string kernel_code_problem(int device);

}  // namespace warpfit
