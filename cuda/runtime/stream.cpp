#include "cuda/runtime/stream.hpp"

#include <nvtx3/nvToolsExtCudaRt.h>

namespace warpfit {

Stream::Stream(const char* name) {
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "creating a stream");
  nvtxNameCudaStreamA(stream_, name);
}

}  // namespace warpfit
