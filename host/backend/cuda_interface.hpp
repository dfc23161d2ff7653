// The functions that the CUDA backend's library exports, and their arguments.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "host/backend/backend_options.hpp"

namespace warpfit {

/// The reason why there is no CUDA backend.
struct NoCuda {
  std::string reason;
  bool no_gpu = false;  ///< no GPU or no driver is installed; if false, there is a GPU that cannot be used
};

struct CudaDevice {
  std::string name;
  int major = 0, minor = 0;                 ///< compute capability
  std::size_t memory = 0, free_memory = 0;  ///< bytes
  std::string problem;                      ///< why the device cannot be used; empty if it can
};

/// The CUDA components of this system. Versions have the form "13.0" and are empty if a component is missing.
struct CudaParts {
  std::string
      problem;  ///< why the library cannot be used; empty if it can, and only then are the versions set
  std::string driver;  ///< the highest CUDA version that the driver supports
  std::string runtime, blas, dnn, nccl;
  std::vector<CudaDevice> devices;
  std::string reason;  ///< why there are no devices
};

/// "warpfit_make_cuda_backend"; the caller owns the result.
using MakeCudaBackend = Backend*(const BackendOptions&, NoCuda& why);
/// "warpfit_warm_cuda"
using WarmCuda = void(int device);
/// "warpfit_find_cuda"
using FindCuda = void(CudaParts&);

}  // namespace warpfit
