// RAII owners of streams and events.
#pragma once

#include <cuda_runtime_api.h>

#include <utility>

#include "cuda/runtime/check.hpp"

namespace warpfit {

/// A point in the work of a stream, which other streams and any host thread can wait for.
class Event {
 public:
  Event() { check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "creating an event"); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { cudaEventDestroy(event_); }

  void record(cudaStream_t stream) { check(cudaEventRecord(event_, stream), "recording an event"); }
  /// Blocks the calling thread; returns immediately if nothing was recorded yet.
  void synchronize() { check(cudaEventSynchronize(event_), "waiting for the device"); }
  /// For destructors: like synchronize(), but ignores errors.
  void drain() noexcept { cudaEventSynchronize(event_); }
  [[nodiscard]] cudaEvent_t get() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

/// A stream that does not wait for the default stream.
class Stream {
 public:
  /// `name` is shown by profilers.
  explicit Stream(const char* name);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { cudaStreamDestroy(stream_); }

  /// Makes work that is queued from now on wait for the event; no effect if it was never recorded.
  void wait(const Event& event) { check(cudaStreamWaitEvent(stream_, event.get(), 0), "ordering streams"); }
  void synchronize() { check(cudaStreamSynchronize(stream_), "waiting for the device"); }
  /// For destructors: like synchronize(), but ignores errors.
  void drain() noexcept { cudaStreamSynchronize(stream_); }
  [[nodiscard]] cudaStream_t get() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

}  // namespace warpfit
