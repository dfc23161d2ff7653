// The state of the emulated machine, and the scope in which every CUDA runtime function runs.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
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
struct ncclComm;

namespace warpfit::emulation {

struct BlasHandle;
class Clique;
struct NcclRank;
class DnnDescriptor;

struct Runtime {
  Config config;
  Statistics statistics;
  std::minstd_rand random;
  Memory memory;
  std::shared_ptr<Stream> null_stream = std::make_shared<Stream>(0u, 0, 0);
  Handles<cudaStream_t, Stream> streams{"a stream", 0x51};
  Handles<cudaEvent_t, Event> events{"an event", 0x52};
  Handles<cudaGraph_t, Graph> graphs{"a graph", 0x53};
  Handles<cudaGraphExec_t, ExecutableGraph> executables{"an executable graph", 0x54};
  Handles<cublasContext*, BlasHandle> blas_handles{"a cuBLAS handle", 0x55};
  Handles<void*, DnnDescriptor> dnn_descriptors{"a cuDNN descriptor", 0x56};
  Handles<ncclComm*, NcclRank> nccl_ranks{"an NCCL communicator", 0x57};
  std::vector<std::shared_ptr<Clique>> cliques;            ///< of the unique ids, by number
  std::vector<std::shared_ptr<Stream>> destroyed_streams;  ///< destroyed with pending work
  std::map<const void*, int> shared_memory_limits;         ///< per kernel, raised by cudaFuncSetAttribute
  std::vector<std::weak_ptr<Capture>> captures;            ///< captures in progress; may contain ended ones
  cudaError_t sticky_error = cudaSuccess;  ///< the sticky error, which remains until the device is reset
  /// The clock that kernels read, in nanoseconds. It advances by a microsecond for each round of a kernel's
  /// threads, and by a millisecond for a round in which all threads only waited: a wait that never ends then
  /// takes device seconds, while no other wait does, even on a slow machine.
  long long device_time = 1'000'000'000;
  std::uint64_t progress = 0;  ///< grows whenever work of a stream makes progress
  int matching_calls = 0;      ///< calls of Config::fail_function so far

  explicit Runtime(const Config& with) : config(with), random(with.seed) {}

  /// The streams that may have work.
  std::vector<std::shared_ptr<Stream>> all_streams() const;
  /// Runs all queued work of the current device.
  void finish();
  /// The captures in progress.
  std::vector<std::shared_ptr<Capture>> active_captures() const;
  /// Invalidates captures, as CUDA does when a function is called that is not allowed during capture.
  void invalidate_captures();
};

/// The current machine. Its members are protected by the lock.
Runtime& runtime();
Lock& runtime_lock();

/// The last error of the calling thread.
cudaError_t& last_error();
cudaStreamCaptureMode& thread_capture_mode();
int& current_device();

/// Whether a runtime function is allowed during stream capture.
enum class CaptureRule {
  kAllowed,    ///< allowed
  kUnsafe,     ///< "potentially unsafe": allowed depending on the capture's mode and the thread's mode
  kProhibited  ///< not allowed during any capture (it waits for the device)
};

/// The scope in which each runtime function runs: takes the lock, injects faults, and refuses calls during
/// capture.
class ApiCallScope {
 public:
  ApiCallScope(const char* name, CaptureRule rule);
  ~ApiCallScope();
  ApiCallScope(const ApiCallScope&) = delete;
  ApiCallScope& operator=(const ApiCallScope&) = delete;
  /// If not cudaSuccess, the function returns this error and does nothing.
  cudaError_t error() const { return error_; }

 private:
  std::unique_lock<Lock> lock_;
  std::optional<sanitizer::Ignore> ignore_;
  cudaError_t error_ = cudaSuccess;
};

/// Runs a runtime function in an ApiCallScope and stores its error for cudaGetLastError.
template <class F>
cudaError_t call(const char* name, CaptureRule rule, F body) {
  const ApiCallScope scope(name, rule);
  cudaError_t error = scope.error() != cudaSuccess ? scope.error() : body();
  if (error == cudaSuccess) error = runtime().sticky_error;  // a kernel may have trapped in the meantime
  if (error != cudaSuccess) last_error() = error;
  return error;
}

/// The stream of a handle (null and the legacy handle: the default stream), or null for an invalid handle.
std::shared_ptr<Stream> find_stream(cudaStream_t handle);

/// Appends `operation` to the stream, with the ordering that the default stream requires.
void enqueue(Stream& stream, Operation operation);
/// Queues device work, or adds it to the stream's capture. `run` may be called later, and more than once.
cudaError_t submit(Stream& stream, std::function<void()> run);
/// The same for work that waits for other devices: `run` is called until it returns true.
cudaError_t submit_until(Stream& stream, std::function<bool()> run);
/// Makes the host wait for `stream`.
void synchronize(Stream& stream);
/// Releases the lock for a moment: the host must wait until other host threads have queued more work. Fails
/// if that does not happen for a long time.
void wait_for_hosts();

}  // namespace warpfit::emulation
