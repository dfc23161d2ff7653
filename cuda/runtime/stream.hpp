// Owners of streams and events.
#pragma once

#include <cuda_runtime_api.h>

#include <utility>

#include "cuda/runtime/check.hpp"

namespace warpfit {

/// A point in a stream's work. It can be waited for by streams and by any host thread.
class Event {
 public:
  Event() { check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "creating an event"); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { cudaEventDestroy(event_); }

  void record(cudaStream_t stream) { check(cudaEventRecord(event_, stream), "recording an event"); }
  /// Blocks the calling thread; returns at once where nothing was recorded yet.
  void synchronize() { check(cudaEventSynchronize(event_), "waiting for the device"); }
  /// For destructors: as synchronize(), whatever the device says.
  void drain() noexcept { cudaEventSynchronize(event_); }
  [[nodiscard]] cudaEvent_t get() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

/// A stream that does not wait for the default stream.
class Stream {
 public:
  /// `name` is what profilers show.
  explicit Stream(const char* name);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { cudaStreamDestroy(stream_); }

  /// What is queued from now on waits for the event; nothing happens where it was never recorded.
  void wait(const Event& event) { check(cudaStreamWaitEvent(stream_, event.get(), 0), "ordering streams"); }
  void synchronize() { check(cudaStreamSynchronize(stream_), "waiting for the device"); }
  /// For destructors: as synchronize(), whatever the device says.
  void drain() noexcept { cudaStreamSynchronize(stream_); }
  [[nodiscard]] cudaStream_t get() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

}  // namespace warpfit
