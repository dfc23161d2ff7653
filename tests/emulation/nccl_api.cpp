// The NCCL functions that the program uses: communicators between threads of this process, and sums and
// messages as work in their streams.
#include <nccl.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "tests/emulation/nccl_work.hpp"
#include "tests/emulation/runtime.hpp"

using namespace warpfit::emulation;

namespace {

using Message = std::array<char, 256>;

Message& last_message() {
  static thread_local Message message{};
  return message;
}

[[gnu::format(printf, 2, 3)]] ncclResult_t refuse(ncclResult_t result, const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(last_message().data(), last_message().size(), format, arguments);
  va_end(arguments);
  return result;
}

/// Runs the body of an NCCL function in an ApiCallScope. The number of an injected error is an ncclResult_t.
template <class F>
ncclResult_t nccl_call(const char* name, CaptureRule rule, F body) {
  const ApiCallScope scope(name, rule);
  if (scope.error() == cudaSuccess) return body();
  return config().fail_function == name
             ? refuse(static_cast<ncclResult_t>(scope.error()), "injected failure of %s", name)
             : ncclUnhandledCudaError;
}

ncclResult_t result_of(cudaError_t error) {
  return error == cudaSuccess ? ncclSuccess : ncclUnhandledCudaError;
}

/// The calling thread's group: how deep it is nested, and its calls.
struct OpenGroup {
  int depth = 0;
  std::vector<NcclCall> calls;
};

OpenGroup& open_group() {
  static thread_local OpenGroup group;
  return group;
}

ncclResult_t queue(NcclCall::Kind kind, const void* from, void* to, std::size_t size, ncclDataType_t type,
                   int peer, ncclComm_t communicator, cudaStream_t stream) {
  const auto rank = runtime().nccl_ranks.find(communicator);
  if (!rank) return refuse(ncclInvalidArgument, "the communicator does not exist");
  if (type != ncclFloat32) return refuse(ncclInvalidArgument, "this emulation adds float32 only");
  if (peer < 0 || peer >= rank->clique->size() || (kind != NcclCall::Kind::kSum && peer == rank->rank))
    return refuse(ncclInvalidArgument, "rank %d is no other rank", peer);
  NcclCall call{kind, rank, stream, static_cast<const float*>(from), static_cast<float*>(to), size, peer};
  call.check();
  auto& group = open_group();
  if (group.depth == 0) return result_of(submit_group({std::move(call)}));
  group.calls.push_back(std::move(call));
  return ncclSuccess;
}

ncclResult_t leave(const char* name, ncclComm_t communicator, Clique::State how) {
  return nccl_call(name, CaptureRule::kUnsafe, [=] {
    const auto rank = runtime().nccl_ranks.find(communicator);
    if (!rank) return refuse(ncclInvalidArgument, "the communicator does not exist");
    if (how == Clique::State::kDestroyed && rank->queued > 0)
      fail("ncclCommDestroy: work of the communicator is still queued");
    runtime().nccl_ranks.remove(communicator);
    rank->clique->leave(rank->rank, how);
    ++runtime().progress;
    while (rank->graphs.use_count() > 1) wait_for_hosts();  // as NCCL does
    return ncclSuccess;
  });
}

constexpr const char* kIdFormat = "emulated clique %d";

int nccl_version() { return config().nccl_version != 0 ? config().nccl_version : NCCL_VERSION_CODE; }

/// What NCCL says of two ranks with the same GPU, which 2.30 and later allow if the user asks for it.
ncclResult_t check_devices(const Clique& clique) {
  const auto same = clique.duplicate();
  if (!same) return ncclSuccess;
  constexpr int kSharing = 23000;
  if (nccl_version() < kSharing) {
    return refuse(ncclInvalidUsage, "Duplicate GPU detected : rank %d and rank %d both on CUDA device 1b000",
                  same->first, same->second);
  }
  const char* allowed = std::getenv("NCCL_MULTI_RANK_GPU_ENABLE");
  if (allowed != nullptr && *allowed == '1') return ncclSuccess;
  return refuse(ncclInvalidUsage,
                "Multiple Ranks are using the same GPU/Partition. Set NCCL_MULTI_RANK_GPU_ENABLE=1 to enable "
                "this configuration.");
}

}  // namespace

ncclResult_t ncclGetVersion(int* version) {
  return nccl_call("ncclGetVersion", CaptureRule::kAllowed, [=] {
    *version = nccl_version();
    return ncclSuccess;
  });
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  return nccl_call("ncclGetUniqueId", CaptureRule::kAllowed, [=] {
    *id = {};
    std::snprintf(id->internal, sizeof id->internal, kIdFormat, static_cast<int>(runtime().cliques.size()));
    runtime().cliques.push_back(std::make_shared<Clique>());
    return ncclSuccess;
  });
}

ncclResult_t ncclCommInitRank(ncclComm_t* communicator, int size, ncclUniqueId id, int rank) {
  return nccl_call("ncclCommInitRank", CaptureRule::kUnsafe, [=] {
    if (communicator == nullptr || rank < 0 || rank >= size)
      return refuse(ncclInvalidArgument, "invalid rank %d", rank);
    int number = 0;
    if (std::sscanf(id.internal, kIdFormat, &number) != 1 ||
        static_cast<std::size_t>(number) >= runtime().cliques.size()) {
      return refuse(ncclInvalidArgument, "the id was not made by ncclGetUniqueId");
    }
    const auto clique = runtime().cliques[static_cast<std::size_t>(number)];
    clique->connect(rank, size, current_device());
    // In a group one thread can connect several ranks.
    while (open_group().depth == 0 && !clique->complete()) wait_for_hosts();
    if (const auto result = check_devices(*clique); result != ncclSuccess) return result;
    *communicator =
        runtime().nccl_ranks.add(std::make_shared<NcclRank>(NcclRank{clique, rank, current_device()}));
    return ncclSuccess;
  });
}

ncclResult_t ncclCommDestroy(ncclComm_t communicator) {
  return leave("ncclCommDestroy", communicator, Clique::State::kDestroyed);
}

ncclResult_t ncclCommAbort(ncclComm_t communicator) {
  return leave("ncclCommAbort", communicator, Clique::State::kAborted);
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t communicator, ncclResult_t* error) {
  return nccl_call("ncclCommGetAsyncError", CaptureRule::kAllowed, [=] {
    const auto rank = runtime().nccl_ranks.find(communicator);
    if (!rank) return refuse(ncclInvalidArgument, "the communicator does not exist");
    *error = rank->clique->lost(rank->rank) ? ncclRemoteError : ncclSuccess;
    return ncclSuccess;
  });
}

ncclResult_t ncclAllReduce(const void* from, void* to, std::size_t size, ncclDataType_t type,
                           ncclRedOp_t operation, ncclComm_t communicator, cudaStream_t stream) {
  return nccl_call("ncclAllReduce", CaptureRule::kAllowed, [=] {
    if (operation != ncclSum) return refuse(ncclInvalidArgument, "this emulation adds only");
    return queue(NcclCall::Kind::kSum, from, to, size, type, 0, communicator, stream);
  });
}

ncclResult_t ncclSend(const void* from, std::size_t size, ncclDataType_t type, int peer,
                      ncclComm_t communicator, cudaStream_t stream) {
  return nccl_call("ncclSend", CaptureRule::kAllowed, [=] {
    return queue(NcclCall::Kind::kSend, from, nullptr, size, type, peer, communicator, stream);
  });
}

ncclResult_t ncclRecv(void* to, std::size_t size, ncclDataType_t type, int peer, ncclComm_t communicator,
                      cudaStream_t stream) {
  return nccl_call("ncclRecv", CaptureRule::kAllowed, [=] {
    return queue(NcclCall::Kind::kReceive, nullptr, to, size, type, peer, communicator, stream);
  });
}

ncclResult_t ncclGroupStart() {
  return nccl_call("ncclGroupStart", CaptureRule::kAllowed, [] {
    ++open_group().depth;
    return ncclSuccess;
  });
}

ncclResult_t ncclGroupEnd() {
  return nccl_call("ncclGroupEnd", CaptureRule::kAllowed, [] {
    auto& group = open_group();
    if (group.depth == 0) return refuse(ncclInvalidUsage, "ncclGroupEnd without ncclGroupStart");
    if (--group.depth > 0) return ncclSuccess;
    return result_of(submit_group(std::exchange(group.calls, {})));
  });
}

const char* ncclGetLastError(ncclComm_t) { return last_message().data(); }

const char* ncclGetErrorString(ncclResult_t result) {
  switch (result) {
    case ncclSuccess:
      return "no error";
    case ncclUnhandledCudaError:
      return "unhandled cuda error (run with NCCL_DEBUG=INFO for details)";
    case ncclSystemError:
      return "unhandled system error (run with NCCL_DEBUG=INFO for details)";
    case ncclInternalError:
      return "internal error - please report this issue to the NCCL developers";
    case ncclInvalidArgument:
      return "invalid argument (run with NCCL_DEBUG=WARN for details)";
    case ncclInvalidUsage:
      return "invalid usage (run with NCCL_DEBUG=WARN for details)";
    case ncclRemoteError:
      return "remote process exited or there was a network error";
    default:
      return "unknown result code";
  }
}
