// The stream functions that the program uses.
#include <cuda_runtime_api.h>

#include <algorithm>

#include "tests/emulation/limits.hpp"
#include "tests/emulation/runtime.hpp"

using namespace warpfit::emulation;

namespace {

cudaError_t create(cudaStream_t* stream, unsigned flags, int priority) {
  if (stream == nullptr || (flags & ~static_cast<unsigned>(cudaStreamNonBlocking)) != 0)
    return cudaErrorInvalidValue;
  if (config().device_error != 0) return static_cast<cudaError_t>(config().device_error);
  if (config().devices == 0) return cudaErrorNoDevice;
  *stream = runtime().streams.add(
      std::make_shared<Stream>(flags, std::clamp(priority, kGreatestPriority, 0), current_device()));
  return cudaSuccess;
}

/// A stream that is being captured can be neither waited for nor queried.
cudaError_t refuse_captured(const Stream& stream) {
  if (!stream.capture) return cudaSuccess;
  stream.capture->invalidate();
  return cudaErrorStreamCaptureUnsupported;
}

/// Waiting for the default stream would wait for blocking streams that are being captured.
cudaError_t refuse_implicit(const Stream& stream) {
  if (&stream != runtime().null_stream.get()) return cudaSuccess;
  bool captured = false;
  runtime().streams.for_each([&captured](const Stream& other) {
    captured = captured || (other.capture && (other.flags() & cudaStreamNonBlocking) == 0);
  });
  if (!captured) return cudaSuccess;
  runtime().invalidate_captures();
  return cudaErrorStreamCaptureImplicit;
}

/// A stream that waits for a captured event joins the event's capture.
cudaError_t wait_for_captured(const std::shared_ptr<Stream>& stream, const Event& event) {
  const auto& capture = event.capture;
  if (capture->ended()) return cudaErrorCapturedEvent;
  if (stream == runtime().null_stream) {
    capture->invalidate();
    return cudaErrorStreamCaptureImplicit;
  }
  if (stream->capture && stream->capture != capture) {
    stream->capture->invalidate();
    capture->invalidate();
    return cudaErrorStreamCaptureMerge;
  }
  stream->capture = capture;
  capture->join(*stream, event.nodes);
  return cudaSuccess;
}

}  // namespace

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return call("cudaStreamCreate", CaptureRule::kAllowed,
              [=] { return create(stream, cudaStreamDefault, 0); });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return call("cudaStreamCreateWithFlags", CaptureRule::kAllowed, [=] { return create(stream, flags, 0); });
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int priority) {
  return call("cudaStreamCreateWithPriority", CaptureRule::kAllowed,
              [=] { return create(stream, flags, priority); });
}

cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  return call("cudaStreamDestroy", CaptureRule::kAllowed, [=] {
    if (handle == nullptr || handle == cudaStreamLegacy) return cudaErrorInvalidResourceHandle;
    const auto stream = runtime().streams.remove(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (stream->capture) {
      stream->capture->invalidate();
      stream->capture->leave(*stream);
    }
    runtime().destroyed_streams.push_back(stream);  // its work still runs
    return cudaSuccess;
  });
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  return call("cudaStreamSynchronize", CaptureRule::kAllowed, [=] {
    const auto stream = find_stream(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    cudaError_t error = refuse_captured(*stream);
    if (error == cudaSuccess) error = refuse_implicit(*stream);
    if (error == cudaSuccess) synchronize(*stream);
    return error;
  });
}

cudaError_t cudaStreamQuery(cudaStream_t handle) {
  return call("cudaStreamQuery", CaptureRule::kAllowed, [=] {
    const auto stream = find_stream(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    cudaError_t error = refuse_captured(*stream);
    if (error == cudaSuccess) error = refuse_implicit(*stream);
    if (error != cudaSuccess) return error;
    if (stream->idle()) {
      sanitizer::acquire(stream->token());
      return cudaSuccess;
    }
    stream->poll();  // so that a polling host makes progress
    return cudaErrorNotReady;
  });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event_handle, unsigned flags) {
  return call("cudaStreamWaitEvent", CaptureRule::kAllowed, [=] {
    const auto stream = find_stream(handle);
    const auto event = runtime().events.find(event_handle);
    if (!stream || !event) return cudaErrorInvalidResourceHandle;
    if (flags != cudaEventWaitDefault) return cudaErrorInvalidValue;
    if (event->capture) return wait_for_captured(stream, *event);
    if (!event->marker) return cudaSuccess;  // never recorded: nothing to wait for
    if (stream->capture) {
      stream->capture->invalidate();
      return cudaErrorStreamCaptureIsolation;
    }
    enqueue(*stream, {nullptr, {event->marker}, nullptr});
    return cudaSuccess;
  });
}

cudaError_t cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t function, void* data) {
  return call("cudaLaunchHostFunc", CaptureRule::kAllowed, [=] {
    const auto stream = find_stream(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (function == nullptr) return cudaErrorInvalidValue;
    return submit(*stream, [=] {
      ++runtime().statistics.host_functions;
      function(data);  // runs under the lock, which identifies and refuses its calls of CUDA
    });
  });
}
