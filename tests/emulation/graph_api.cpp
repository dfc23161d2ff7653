// The capture and graph functions that the program uses.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <utility>

#include "tests/emulation/runtime.hpp"

using namespace warpfit::emulation;

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  return call("cudaStreamBeginCapture", CaptureRule::kAllowed, [=] {
    const auto stream = find_stream(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (mode < cudaStreamCaptureModeGlobal || mode > cudaStreamCaptureModeRelaxed)
      return cudaErrorInvalidValue;
    if (stream == runtime().null_stream) return cudaErrorStreamCaptureUnsupported;
    if (stream->capture) return cudaErrorIllegalState;
    stream->capture = std::make_shared<Capture>(*stream, mode);
    std::erase_if(runtime().captures, [](const auto& one) { return one.expired(); });
    runtime().captures.push_back(stream->capture);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  return call("cudaStreamEndCapture", CaptureRule::kAllowed, [=] {
    const auto stream = find_stream(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (graph == nullptr) return cudaErrorInvalidValue;
    *graph = nullptr;
    if (!stream->capture) return cudaErrorIllegalState;
    Graph recorded;
    const cudaError_t error = stream->capture->end(*stream, &recorded);
    if (error == cudaSuccess) *graph = runtime().graphs.add(std::make_shared<Graph>(std::move(recorded)));
    return error;
  });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  return call("cudaStreamIsCapturing", CaptureRule::kAllowed, [=] {
    const auto stream = find_stream(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    *status = !stream->capture             ? cudaStreamCaptureStatusNone
              : stream->capture->invalid() ? cudaStreamCaptureStatusInvalidated
                                           : cudaStreamCaptureStatusActive;
    return cudaSuccess;
  });
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  return call("cudaThreadExchangeStreamCaptureMode", CaptureRule::kAllowed, [=] {
    if (mode == nullptr) return cudaErrorInvalidValue;
    std::swap(*mode, thread_capture_mode());
    return cudaSuccess;
  });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t handle, unsigned long long) {
  return call("cudaGraphInstantiate", CaptureRule::kAllowed, [=] {
    const auto graph = runtime().graphs.find(handle);
    if (!graph || executable == nullptr) return cudaErrorInvalidValue;
    *executable = runtime().executables.add(std::make_shared<ExecutableGraph>(*graph));
    return cudaSuccess;
  });
}

cudaError_t cudaGraphUpload(cudaGraphExec_t handle, cudaStream_t stream) {
  return call("cudaGraphUpload", CaptureRule::kAllowed, [=] {
    if (!runtime().executables.find(handle)) return cudaErrorInvalidValue;
    return find_stream(stream) ? cudaSuccess : cudaErrorInvalidResourceHandle;
  });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t handle, cudaStream_t stream_handle) {
  return call("cudaGraphLaunch", CaptureRule::kAllowed, [=] {
    const auto executable = runtime().executables.find(handle);
    const auto stream = find_stream(stream_handle);
    if (!executable) return cudaErrorInvalidValue;
    if (!stream) return cudaErrorInvalidResourceHandle;
    ++runtime().statistics.graph_launches;
    if (stream->capture) return submit_until(*stream, [executable] { return executable->replay(); });
    Operation operation{[executable] { return executable->replay(); }, {}, std::make_shared<Marker>()};
    operation.completes->stream = stream.get();
    if (executable->last_launch) operation.after.push_back(executable->last_launch);
    executable->last_launch = operation.completes;
    enqueue(*stream, std::move(operation));
    return cudaSuccess;
  });
}

cudaError_t cudaGraphGetNodes(cudaGraph_t handle, cudaGraphNode_t* nodes, std::size_t* count) {
  return call("cudaGraphGetNodes", CaptureRule::kAllowed, [=] {
    const auto graph = runtime().graphs.find(handle);
    if (!graph || count == nullptr) return cudaErrorInvalidValue;
    for (std::size_t i = 0; nodes != nullptr && i < *count; ++i) {
      nodes[i] = i < graph->nodes.size() ? reinterpret_cast<cudaGraphNode_t>(&graph->nodes[i]) : nullptr;
    }
    *count = nodes == nullptr ? graph->nodes.size() : std::min(*count, graph->nodes.size());
    return cudaSuccess;
  });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return call("cudaGraphDestroy", CaptureRule::kAllowed,
              [=] { return runtime().graphs.remove(graph) ? cudaSuccess : cudaErrorInvalidValue; });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  return call("cudaGraphExecDestroy", CaptureRule::kAllowed,
              [=] { return runtime().executables.remove(executable) ? cudaSuccess : cudaErrorInvalidValue; });
}
