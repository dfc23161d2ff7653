// The CUDA backend is a separate library that is loaded only if a GPU is requested: loading cuBLAS takes a
// tenth of a second even without a GPU, and the program must run on machines without CUDA libraries.
#pragma once

#include <memory>

#include "host/backend/cuda_interface.hpp"

namespace warpfit {

/// The CUDA backend, or null if this machine or this build has none; `why` then contains the reason.
/// Errors: DeviceError if there is a GPU but it fails; OutOfMemory.
std::unique_ptr<Backend> make_cuda_backend(const BackendOptions& options, NoCuda& why);

/// Does the part of make_cuda_backend() that takes longest: loads the library and initializes the GPU. Errors
/// are ignored here, because make_cuda_backend() reports them.
void warm_cuda(int device);

/// Loads the library, even if there is no GPU.
CudaParts find_cuda();

}  // namespace warpfit
