// A graph captured from a stream, for the emulation's own tests.
#pragma once

#include <cstddef>

#include "tests/emulation/machine.hpp"

namespace warpfit::emulation::test {

class Recording {
 public:
  template <class F>
  Recording(cudaStream_t stream, F work) {
    EXPECT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    work();
    EXPECT_EQ(cudaStreamEndCapture(stream, &graph_), cudaSuccess);
    EXPECT_EQ(cudaGraphInstantiate(&executable_, graph_, 0), cudaSuccess);
    EXPECT_EQ(cudaGraphUpload(executable_, stream), cudaSuccess);
  }
  ~Recording() {
    static_cast<void>(cudaGraphExecDestroy(executable_));
    static_cast<void>(cudaGraphDestroy(graph_));
  }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  cudaError_t launch(cudaStream_t stream) const { return cudaGraphLaunch(executable_, stream); }
  std::size_t nodes() const {
    std::size_t count = 0;
    EXPECT_EQ(cudaGraphGetNodes(graph_, nullptr, &count), cudaSuccess);
    return count;
  }

 private:
  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t executable_ = nullptr;
};

}  // namespace warpfit::emulation::test
