// Work that is recorded once and launched many times.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>

namespace warpfit {

class Graph {
 public:
  /// Records the work that `queue_work` queues on `stream` (and on streams ordered after it), without running
  /// it.
  Graph(cudaStream_t stream, const std::function<void()>& queue_work);
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  ~Graph();

  void launch(cudaStream_t stream) const;

 private:
  cudaGraphExec_t executable_ = nullptr;
};

}  // namespace warpfit
