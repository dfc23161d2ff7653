#include "cuda/runtime/graph.hpp"

#include "cuda/runtime/check.hpp"

namespace warpfit {

Graph::Graph(cudaStream_t stream, const std::function<void()>& queue_work) {
  // Thread-local mode, because the reader thread makes CUDA calls during the capture.
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "recording a step");
  cudaGraph_t graph = nullptr;
  try {
    queue_work();
  } catch (...) {
    cudaStreamEndCapture(stream, &graph);
    if (graph != nullptr) cudaGraphDestroy(graph);
    throw;
  }
  check(cudaStreamEndCapture(stream, &graph), "recording a step");
  const auto status = cudaGraphInstantiate(&executable_, graph, 0);
  cudaGraphDestroy(graph);
  check(status, "preparing a recorded step");
}

Graph::~Graph() { cudaGraphExecDestroy(executable_); }

void Graph::launch(cudaStream_t stream) const {
  check(cudaGraphLaunch(executable_, stream), "running a recorded step");
}

}  // namespace warpfit
