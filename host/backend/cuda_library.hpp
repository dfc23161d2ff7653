// The CUDA backend is a library of its own, loaded only when a GPU is asked for: cuBLAS takes a tenth of a
// second to load even where there is no GPU, and the program must run where no CUDA library is installed.
#pragma once

#include <memory>
#include <string>

#include "host/backend/make_backend.hpp"

namespace warpfit {

/// The CUDA backend, or nothing where this machine or this build has none; then `reason` says why.
/// Errors: DeviceError where there is a GPU but it fails; OutOfMemory.
std::unique_ptr<Backend> make_cuda_backend(const BackendOptions& options, std::string& reason);

/// What the library exports as "warpfit_make_cuda_backend"; the caller owns the result.
using MakeCudaBackend = Backend*(const BackendOptions&, std::string& reason);

}  // namespace warpfit
