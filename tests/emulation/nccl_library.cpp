// Replaces cuda/runtime/nccl_library.cpp: provides the functions of nccl_api.cpp.
#include "cuda/runtime/nccl_library.hpp"

namespace warpfit {

NcclLibrary load_nccl_library(const char*) {
  return {ncclGetVersion,  ncclGetUniqueId, ncclCommInitRank,      ncclAllReduce,
          ncclSend,        ncclRecv,        ncclGroupStart,        ncclGroupEnd,
          ncclCommDestroy, ncclCommAbort,   ncclCommGetAsyncError, ncclGetErrorString,
          ncclGetLastError};
}

}  // namespace warpfit
