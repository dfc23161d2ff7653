// The functions of NCCL, loaded if it sums gradients, and for its version.
#pragma once

#include <nccl.h>

namespace warpfit {

/// The functions that are called; each member is the function with the same name.
struct NcclLibrary {
  decltype(&ncclGetVersion) get_version;
  decltype(&ncclGetUniqueId) get_unique_id;
  decltype(&ncclCommInitRank) comm_init_rank;
  decltype(&ncclAllReduce) all_reduce;
  decltype(&ncclSend) send;
  decltype(&ncclRecv) recv;
  decltype(&ncclGroupStart) group_start;
  decltype(&ncclGroupEnd) group_end;
  decltype(&ncclCommDestroy) comm_destroy;
  decltype(&ncclCommAbort) comm_abort;
  decltype(&ncclCommGetAsyncError) comm_get_async_error;
  decltype(&ncclGetErrorString) get_error_string;
  decltype(&ncclGetLastError) get_last_error;
};

/// Loads the library, which stays loaded. Errors: DeviceError if it cannot be loaded or lacks a function.
NcclLibrary load_nccl_library(const char* name = "libnccl.so.2");

}  // namespace warpfit
