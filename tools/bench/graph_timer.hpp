// Measures the time of GPU work inside a CUDA graph, as in training.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>

#include "cuda/runtime/memory.hpp"
#include "cuda/runtime/stream.hpp"

namespace warpfit {

/// Microseconds per call, over nine rounds.
struct Time {
  double median, least;
};

class GraphTimer {
 public:
  /// Each round measures for about `milliseconds`. A graph contains at most `max_calls` calls.
  GraphTimer(int milliseconds, int max_calls) : milliseconds_(milliseconds), max_calls_(max_calls) {}

  /// `call` queues work on stream(), and on branches that it joins again; a graph contains it `calls` times.
  [[nodiscard]] Time time(const std::function<void()>& call, int calls = 64);

  [[nodiscard]] Stream& stream() { return stream_; }

 private:
  int milliseconds_, max_calls_;
  Stream stream_{"bench"};
};

/// Device memory filled with zeros.
[[nodiscard]] DeviceMemory zeros(Stream& stream, std::size_t bytes);

/// Floats on the device.
class DeviceFloats {
 public:
  explicit DeviceFloats(DeviceMemory memory) : memory_(std::move(memory)) {}
  [[nodiscard]] float* get() const { return reinterpret_cast<float*>(memory_.data()); }

 private:
  DeviceMemory memory_;
};

}  // namespace warpfit
