// What the library of the CUDA backend exports, and what it is asked.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "host/backend/backend_options.hpp"

namespace warpfit {

/// Why there is no CUDA backend.
struct NoCuda {
  std::string reason;
  bool no_gpu = false;  ///< no GPU or no driver is installed; else one is there that cannot be used
};

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

/// "warpfit_make_cuda_backend"; the caller owns the result.
using MakeCudaBackend = Backend*(const BackendOptions&, NoCuda& why);
/// "warpfit_warm_cuda"
using WarmCuda = void(int device);
/// "warpfit_find_cuda"
using FindCuda = void(CudaParts&);

}  // namespace warpfit
