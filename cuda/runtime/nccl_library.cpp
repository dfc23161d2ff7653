#include "cuda/runtime/nccl_library.hpp"

#include "cuda/runtime/dynamic_library.hpp"

namespace warpfit {

NcclLibrary load_nccl_library(const char* name) {
  const DynamicLibrary library(name, "NCCL", "NCCL 2.13 or later");
  NcclLibrary nccl{};
  library.find(nccl.get_version, "ncclGetVersion");
  library.find(nccl.get_unique_id, "ncclGetUniqueId");
  library.find(nccl.comm_init_rank, "ncclCommInitRank");
  library.find(nccl.all_reduce, "ncclAllReduce");
  library.find(nccl.send, "ncclSend");
  library.find(nccl.recv, "ncclRecv");
  library.find(nccl.group_start, "ncclGroupStart");
  library.find(nccl.group_end, "ncclGroupEnd");
  library.find(nccl.comm_destroy, "ncclCommDestroy");
  library.find(nccl.comm_abort, "ncclCommAbort");
  library.find(nccl.comm_get_async_error, "ncclCommGetAsyncError");
  library.find(nccl.get_error_string, "ncclGetErrorString");
  library.find(nccl.get_last_error, "ncclGetLastError");
  return nccl;
}

}  // namespace warpfit
