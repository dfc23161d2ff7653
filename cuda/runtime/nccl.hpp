// Sums over GPUs and exchanges between them by NCCL. This header does not include NCCL's: without it, the
// program is built with nccl_absent.cpp, whose Nccl says so.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <string>
#include <thread>

#include "host/backend/views.hpp"
#include "host/parallel/communicator.hpp"

struct ncclComm;

namespace warpfit {

struct NcclLibrary;

/// The version of NCCL on this machine: "2.28.9". Empty if there is none, or none that this build can load.
std::string nccl_version();

/// This process's part of an NCCL communicator. Work is queued on streams, in the same order on all ranks,
/// and may be captured.
class Nccl {
 public:
  /// Loads NCCL and connects the current device with those of the other ranks, each of which constructs an
  /// Nccl too. Errors: DeviceError on all ranks if NCCL is missing or older than its header on one of them;
  /// if they cannot be connected, also because two ranks have the same GPU.
  explicit Nccl(Communicator& communicator);
  Nccl(const Nccl&) = delete;
  Nccl& operator=(const Nccl&) = delete;
  /// All work must have ended, and graphs with such work must have been destroyed.
  ~Nccl();

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }
  /// "NCCL 2.28.9"
  [[nodiscard]] std::string version() const;

  /// Queues the replacement of `values`, in device memory, with their sum over all ranks.
  void sum(Vector values, cudaStream_t stream);
  /// Queues the exchange of as many values with another rank: it gets `own`, and `others` is filled with what
  /// it passes. The ranges must not overlap.
  void exchange(int other, ConstVector own, Vector others, cudaStream_t stream);
  /// After an error: ends work that waits for other ranks, which may have failed as well and never take part.
  /// Later calls fail.
  void abandon() noexcept;
  /// For destructors: whether an exception is being thrown.
  [[nodiscard]] bool is_unwinding() const noexcept;
  /// Errors: DeviceError if the connection to another rank has failed.
  void check_connection() const;

 private:
  /// Errors: DeviceError if `status`, an ncclResult_t, is not success, with what was being done.
  void check(int status, const std::string& doing) const;

  std::unique_ptr<const NcclLibrary> library_;
  int rank_, size_;
  int exceptions_;                    // that were being thrown when this was constructed
  ncclComm* communicator_ = nullptr;  // null after an abort
  std::thread aborting_;              // the abort, until the graphs have been destroyed
};

}  // namespace warpfit
