// The CUDA backend is a library of its own, loaded only when a GPU is asked for: cuBLAS takes a tenth of a
// second to load even where there is no GPU, and the program must run where no CUDA library is installed.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "host/backend/make_backend.hpp"

namespace warpfit {

/// Why there is no CUDA backend.
struct NoCuda {
  std::string reason;
  bool no_gpu = false;  ///< no GPU or no driver is installed; else one is there that cannot be used
};

/// The CUDA backend, or null if this machine or this build has none; then `why` says why.
/// Errors: DeviceError if there is a GPU but it fails; OutOfMemory.
std::unique_ptr<Backend> make_cuda_backend(const BackendOptions& options, NoCuda& why);

/// What the library exports as "warpfit_make_cuda_backend"; the caller owns the result.
using MakeCudaBackend = Backend*(const BackendOptions&, NoCuda& why);

/// What takes longest of making the backend: loads the library and starts the GPU. What fails here fails
/// again there, with its reason.
void warm_cuda(int device);

/// What the library exports as "warpfit_warm_cuda".
using WarmCuda = void(int device);

struct CudaDevice {
  std::string name;
  int major = 0, minor = 0;                 ///< compute capability
  std::size_t memory = 0, free_memory = 0;  ///< bytes
  std::string problem;                      ///< why it cannot be used; empty where it can
};

/// What there is of CUDA. Versions are as "13.0", empty where there is no such thing.
struct CudaParts {
  std::string
      problem;  ///< why the library cannot be used; empty where it can, and only then are there versions
  std::string driver;  ///< the highest version of CUDA that the driver is for
  std::string runtime, blas, dnn;
  std::vector<CudaDevice> devices;
  std::string reason;  ///< why there are no devices
};

/// Loads the library, where there is no GPU as well.
CudaParts find_cuda();

/// What the library exports as "warpfit_find_cuda".
using FindCuda = void(CudaParts&);

}  // namespace warpfit
