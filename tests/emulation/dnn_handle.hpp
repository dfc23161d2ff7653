// cuDNN's handle, and the scope in which the functions of its graph API run.
#pragma once

#include <cudnn_graph.h>

#include <string>

#include "tests/emulation/runtime.hpp"

struct cudnnContext {
  cudaStream_t stream = nullptr;
};

namespace warpfit::emulation {

/// Stores the text that cudnnGetLastErrorString returns, and returns the status.
cudnnStatus_t dnn_error(cudnnStatus_t status, std::string text);

/// Runs the body of a cuDNN function in an ApiCallScope. The number of an injected error is a cudnnStatus_t.
template <class F>
cudnnStatus_t dnn_call(const char* name, CaptureRule rule, F body) {
  const ApiCallScope scope(name, rule);
  if (scope.error() == cudaSuccess) return body();
  if (config().fail_function == name) {
    return dnn_error(static_cast<cudnnStatus_t>(scope.error()), "an injected error");
  }
  return dnn_error(CUDNN_STATUS_EXECUTION_FAILED_CUDART, cudaGetErrorString(scope.error()));
}

}  // namespace warpfit::emulation
