// Calls of NCCL as work in a stream.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "tests/emulation/clique.hpp"

namespace warpfit::emulation {

/// One call of ncclAllReduce, ncclSend or ncclRecv. In a graph it runs many times.
struct NcclCall {
  enum class Kind { kSum, kSend, kReceive };
  Kind kind;
  std::shared_ptr<NcclRank> rank;
  cudaStream_t stream;
  const float* from;  ///< null for kReceive
  float* to;          ///< null for kSend
  std::size_t size;
  int peer;                 ///< unused for kSum
  std::int64_t number = 0;  ///< of this run, in the clique

  const char* function() const;
  /// Fails if the values are not in device memory.
  void check() const;
  void begin();
  /// Whether the other ranks have begun their calls.
  bool ready() const;
  void end() const;
};

/// Queues the calls of a group, which run together.
cudaError_t submit_group(std::vector<NcclCall> calls);

}  // namespace warpfit::emulation
