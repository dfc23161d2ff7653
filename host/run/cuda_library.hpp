// The CUDA backend is a library of its own, loaded only when a GPU is asked for: cuBLAS takes a tenth of a
// second to load even where there is no GPU, and the program must run where no CUDA library is installed.
#pragma once

#include <memory>

#include "host/backend/cuda_interface.hpp"

namespace warpfit {

/// The CUDA backend, or null if this machine or this build has none; then `why` says why.
/// Errors: DeviceError if there is a GPU but it fails; OutOfMemory.
std::unique_ptr<Backend> make_cuda_backend(const BackendOptions& options, NoCuda& why);

/// What takes longest of making the backend: loads the library and starts the GPU. What fails here fails
/// again there, with its reason.
void warm_cuda(int device);

/// Loads the library, where there is no GPU as well.
CudaParts find_cuda();

}  // namespace warpfit
