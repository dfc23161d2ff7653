// The event functions that the program uses.
#include <cuda_runtime_api.h>

#include "tests/emulation/runtime.hpp"

using namespace warpfit::emulation;

namespace {

cudaError_t create(cudaEvent_t* event, unsigned flags) {
  constexpr unsigned kKnown = cudaEventBlockingSync | cudaEventDisableTiming | cudaEventInterprocess;
  if (event == nullptr || (flags & ~kKnown) != 0) return cudaErrorInvalidValue;
  if (config().device_error != 0) return static_cast<cudaError_t>(config().device_error);
  if (config().devices == 0) return cudaErrorNoDevice;
  auto made = std::make_shared<Event>();
  made->flags = flags;
  *event = runtime().events.add(std::move(made));
  return cudaSuccess;
}

/// An event that was recorded in a capture cannot be queried or waited for by the host.
cudaError_t refuse_captured(const Event& event) {
  if (!event.capture) return cudaSuccess;
  event.capture->invalidate();
  return cudaErrorCapturedEvent;
}

bool timed(const Event& event) {
  return (event.flags & cudaEventDisableTiming) == 0 && event.marker != nullptr;
}

}  // namespace

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return call("cudaEventCreate", CaptureRule::kAllowed, [=] { return create(event, cudaEventDefault); });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  return call("cudaEventCreateWithFlags", CaptureRule::kAllowed, [=] { return create(event, flags); });
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return call("cudaEventDestroy", CaptureRule::kAllowed,
              [=] { return runtime().events.remove(event) ? cudaSuccess : cudaErrorInvalidResourceHandle; });
}

cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t stream_handle) {
  return call("cudaEventRecord", CaptureRule::kAllowed, [=] {
    const auto event = runtime().events.find(handle);
    const auto stream = find_stream(stream_handle);
    if (!event || !stream) return cudaErrorInvalidResourceHandle;
    if (stream->capture) {
      if (stream->capture->invalid()) return cudaErrorStreamCaptureInvalidated;
      event->capture = stream->capture;
      event->nodes = stream->last_nodes;
      return cudaSuccess;
    }
    event->capture.reset();
    event->marker = std::make_shared<Marker>();
    event->marker->stream = stream.get();
    enqueue(*stream, {nullptr, {}, event->marker});
    return cudaSuccess;
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  return call("cudaEventSynchronize", CaptureRule::kUnsafe, [=] {
    const auto event = runtime().events.find(handle);
    if (!event) return cudaErrorInvalidResourceHandle;
    if (event->capture) return refuse_captured(*event);
    if (!event->marker) return cudaSuccess;
    ++runtime().statistics.synchronizations;
    event->marker->stream->finish(event->marker);
    sanitizer::acquire(event->marker.get());
    return cudaSuccess;
  });
}

cudaError_t cudaEventQuery(cudaEvent_t handle) {
  return call("cudaEventQuery", CaptureRule::kUnsafe, [=] {
    const auto event = runtime().events.find(handle);
    if (!event) return cudaErrorInvalidResourceHandle;
    if (event->capture) return refuse_captured(*event);
    if (!event->marker) return cudaSuccess;
    if (event->marker->done) {
      sanitizer::acquire(event->marker.get());
      return cudaSuccess;
    }
    event->marker->stream->poll();  // so that a polling host makes progress
    return cudaErrorNotReady;
  });
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  return call("cudaEventElapsedTime", CaptureRule::kAllowed, [=] {
    const auto first = runtime().events.find(start);
    const auto last = runtime().events.find(end);
    if (!first || !last || !timed(*first) || !timed(*last)) return cudaErrorInvalidResourceHandle;
    if (!first->marker->done || !last->marker->done) return cudaErrorNotReady;
    *milliseconds =
        std::chrono::duration<float, std::milli>(last->marker->time - first->marker->time).count();
    return cudaSuccess;
  });
}
