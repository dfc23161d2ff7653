// Replaces host/run/cuda_library.cpp: the CUDA backend is linked statically, on the emulated runtime.
#include "host/run/cuda_library.hpp"

extern "C" warpfit::Backend* warpfit_make_cuda_backend(const warpfit::BackendOptions& options,
                                                       warpfit::NoCuda& why);
extern "C" void warpfit_warm_cuda(int device);
extern "C" void warpfit_find_cuda(warpfit::CudaParts& parts);

namespace warpfit {

std::unique_ptr<Backend> make_cuda_backend(const BackendOptions& options, NoCuda& why) {
  return std::unique_ptr<Backend>(warpfit_make_cuda_backend(options, why));
}

void warm_cuda(int device) { warpfit_warm_cuda(device); }

CudaParts find_cuda() {
  CudaParts parts;
  warpfit_find_cuda(parts);
  return parts;
}

}  // namespace warpfit
