// The state of the emulated machine, and the frame in which every function of the CUDA runtime runs.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <vector>

#include "tests/emulation/emulation.hpp"
#include "tests/emulation/event.hpp"
#include "tests/emulation/graph.hpp"
#include "tests/emulation/handles.hpp"
#include "tests/emulation/lock.hpp"
#include "tests/emulation/memory.hpp"
#include "tests/emulation/sanitizer.hpp"
#include "tests/emulation/stream.hpp"

struct cublasContext;

namespace warpfit::emulation {

struct BlasHandle;

struct Runtime {
  Config config;
  Statistics statistics;
  std::minstd_rand random;
  Memory memory;
  std::shared_ptr<Stream> null_stream = std::make_shared<Stream>(0u, 0);
  Handles<cudaStream_t, Stream> streams{"a stream", 0x51};
  Handles<cudaEvent_t, Event> events{"an event", 0x52};
  Handles<cudaGraph_t, Graph> graphs{"a graph", 0x53};
  Handles<cudaGraphExec_t, ExecutableGraph> executables{"an executable graph", 0x54};
  Handles<cublasContext*, BlasHandle> blas_handles{"a cuBLAS handle", 0x55};
  std::vector<std::shared_ptr<Stream>> orphans;     ///< destroyed with work left
  std::map<const void*, int> shared_memory_limits;  ///< of kernels, raised by cudaFuncSetAttribute
  std::vector<std::weak_ptr<Capture>> captures;     ///< those in progress, and some that are not
  cudaError_t kept_error = cudaSuccess;             ///< one that the device keeps until it is reset
  /// Nanoseconds, for kernels: a microsecond for each round of their threads, and a thousand for one in which
  /// all only waited, so that a wait which never ends takes seconds, and no other one does on a slow machine.
  long long device_time = 1'000'000'000;
  int matching_calls = 0;  ///< of Config::fail_function

  explicit Runtime(const Config& with) : config(with), random(with.seed) {}

  /// Runs all queued work.
  void finish();
  /// Captures in progress.
  std::vector<std::shared_ptr<Capture>> active_captures() const;
  /// What CUDA does to captures when a function is called that must not be.
  void invalidate_captures();
};

/// The machine in force. Everything in it is used under the lock.
Runtime& runtime();
Lock& runtime_lock();

/// The calling thread's.
cudaError_t& last_error();
cudaStreamCaptureMode& thread_capture_mode();
int& current_device();

/// How a function of the runtime gets along with captures.
enum class During {
  kAnything,  ///< always allowed
  kUnsafe,    ///< "potentially unsafe": forbidden as the capture's mode and the thread's say
  kNoCapture  ///< forbidden while anything is captured (it waits for the device)
};

/// The frame in which each runtime function runs: the lock, the injected faults, the ban during captures.
class Frame {
 public:
  Frame(const char* name, During during);
  ~Frame();
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;
  /// Not cudaSuccess: the function returns this and does nothing.
  cudaError_t refusal() const { return refusal_; }

 private:
  std::unique_lock<Lock> lock_;
  std::optional<sanitizer::Ignore> ignore_;
  cudaError_t refusal_ = cudaSuccess;
};

/// Runs a runtime function in its frame and keeps its error for cudaGetLastError.
template <class F>
cudaError_t call(const char* name, During during, F body) {
  const Frame frame(name, during);
  cudaError_t error = frame.refusal() != cudaSuccess ? frame.refusal() : body();
  if (error == cudaSuccess) error = runtime().kept_error;  // a kernel may have trapped meanwhile
  if (error != cudaSuccess) last_error() = error;
  return error;
}

/// The stream behind a handle (null and the legacy handle: the default stream), or null for no stream.
std::shared_ptr<Stream> find_stream(cudaStream_t handle);

/// Queues `operation` behind what `stream` has, in the order that the default stream demands.
void enqueue(Stream& stream, Operation operation);
/// Queues device work, or adds it to the stream's capture. `run` may be called later, and again.
cudaError_t submit(Stream& stream, std::function<void()> run);
/// The host waits for `stream`.
void synchronize(Stream& stream);

}  // namespace warpfit::emulation
