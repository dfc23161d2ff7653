// The emulated machine: its lifetime, the scope of every call, and the ordering of queued work.
#include "tests/emulation/runtime.hpp"

#include <chrono>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <utility>

#include "tests/emulation/fault.hpp"

namespace warpfit::emulation {
namespace {

// Never destroyed: destructors of static objects may still call CUDA.
std::unique_ptr<Runtime>& machine() {
  static auto& pointer = *new std::unique_ptr<Runtime>;
  if (!pointer) {
    const char* text = std::getenv("WARPFIT_EMULATION");
    pointer = std::make_unique<Runtime>(parse_config(text != nullptr ? text : ""));
  }
  return pointer;
}

bool is_sticky(cudaError_t error) {
  switch (error) {
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case cudaErrorECCUncorrectable:
      return true;
    default:
      return false;
  }
}

cudaError_t injected_fault(const char* name) {
  Runtime& r = runtime();
  if (r.sticky_error != cudaSuccess) return r.sticky_error;
  const Config& c = r.config;
  if (c.fail_at == 0 || (!c.fail_function.empty() && c.fail_function != name)) return cudaSuccess;
  if (++r.matching_calls != c.fail_at) return cudaSuccess;
  const auto error = static_cast<cudaError_t>(c.fail_error);
  if (is_sticky(error)) r.sticky_error = error;
  return error;
}

/// True if a capture in progress forbids calls of this kind to the calling thread.
bool forbidden(CaptureRule rule) {
  if (rule == CaptureRule::kAllowed) return false;
  for (const auto& capture : runtime().active_captures()) {
    if (rule == CaptureRule::kProhibited) return true;
    if (thread_capture_mode() == cudaStreamCaptureModeRelaxed) continue;
    if (capture->by_this_thread() && capture->mode() != cudaStreamCaptureModeRelaxed) return true;
    if (thread_capture_mode() == cudaStreamCaptureModeGlobal &&
        capture->mode() == cudaStreamCaptureModeGlobal) {
      return true;
    }
  }
  return false;
}

/// Functions that only query, or select a device: they do not initialize one.
bool starts_no_device(std::string_view name) {
  return name.starts_with("cudaGet") || name.starts_with("cudaSetDevice") ||
         name.starts_with("cudaDeviceGet") || name.starts_with("cudaDriverGet") ||
         name.starts_with("cudaRuntimeGet") || name.starts_with("cublasGet") || name.starts_with("cudaPeek");
}

}  // namespace

Runtime& runtime() { return *machine(); }

Lock& runtime_lock() {
  static Lock lock;
  return lock;
}

cudaError_t& last_error() {
  static thread_local cudaError_t error = cudaSuccess;
  return error;
}

cudaStreamCaptureMode& thread_capture_mode() {
  static thread_local cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  return mode;
}

void configure(const Config& with) {
  const std::unique_lock lock(runtime_lock());
  const sanitizer::Ignore ignore;
  machine() = std::make_unique<Runtime>(with);
  last_error() = cudaSuccess;
}

const Config& config() { return runtime().config; }

Statistics statistics() {
  const std::unique_lock lock(runtime_lock());
  const sanitizer::Ignore ignore;
  const Runtime& r = runtime();
  Statistics now = r.statistics;
  now.live_allocations = static_cast<std::int64_t>(r.memory.count());
  now.live_bytes = static_cast<std::int64_t>(r.memory.used());
  now.peak_bytes = static_cast<std::int64_t>(r.memory.peak());
  now.live_streams = static_cast<std::int64_t>(r.streams.size());
  now.live_events = static_cast<std::int64_t>(r.events.size());
  now.live_graphs = static_cast<std::int64_t>(r.graphs.size() + r.executables.size());
  now.live_descriptors = static_cast<std::int64_t>(r.dnn_descriptors.size());
  return now;
}

std::vector<std::shared_ptr<Stream>> Runtime::all_streams() const {
  auto all = streams.all();
  all.push_back(null_stream);
  all.insert(all.end(), destroyed_streams.begin(), destroyed_streams.end());
  return all;
}

// The lock may be released meanwhile, so that other threads create and destroy streams.
void Runtime::finish() {
  const int device = current_device();
  const auto ours = [&](const std::shared_ptr<Stream>& one) {
    return one == null_stream || one->device() == device;
  };
  for (const auto& stream : all_streams()) {
    if (!ours(stream)) continue;
    stream->finish();
    sanitizer::acquire(stream->token());
  }
  std::erase_if(destroyed_streams, [&](const auto& one) { return ours(one) && one->idle(); });
}

std::vector<std::shared_ptr<Capture>> Runtime::active_captures() const {
  std::vector<std::shared_ptr<Capture>> active;
  for (const auto& weak : captures) {
    const auto capture = weak.lock();
    if (capture && !capture->ended()) active.push_back(capture);
  }
  return active;
}

void Runtime::invalidate_captures() {
  for (const auto& capture : active_captures()) capture->invalidate();
}

ApiCallScope::ApiCallScope(const char* name, CaptureRule rule) : lock_(runtime_lock(), std::defer_lock) {
  if (runtime_lock().held_by_this_thread()) {  // the call comes from a host function or a kernel
    error_ = cudaErrorNotPermitted;
    return;
  }
  lock_.lock();
  ignore_.emplace();
  watch_faults();
  ++runtime().statistics.api_calls;
  if (!starts_no_device(name)) runtime().statistics.used_devices |= 1U << current_device();
  error_ = injected_fault(name);
  if (error_ == cudaSuccess && forbidden(rule)) {
    runtime().invalidate_captures();
    error_ = cudaErrorStreamCaptureUnsupported;
  }
}

ApiCallScope::~ApiCallScope() = default;  // members are destroyed in reverse order: the lock last

std::shared_ptr<Stream> find_stream(cudaStream_t handle) {
  if (handle == nullptr || handle == cudaStreamLegacy) return runtime().null_stream;
  return runtime().streams.find(handle);
}

void enqueue(Stream& stream, Operation operation) {
  Runtime& r = runtime();
  const auto wait_for = [&operation](Stream& other) {
    // ThreadSanitizer has to be told of the order even if the work is complete.
    if (!other.idle() || sanitizer::thread()) operation.after.push_back(other.mark());
  };
  const auto blocking = [](const Stream& one) { return (one.flags() & cudaStreamNonBlocking) == 0; };
  if (&stream == r.null_stream.get()) {
    r.streams.for_each([&](Stream& other) {
      if (blocking(other)) wait_for(other);
    });
    for (const auto& other : r.destroyed_streams)
      if (blocking(*other)) wait_for(*other);
  } else if (blocking(stream)) {
    wait_for(*r.null_stream);
  }
  stream.push(std::move(operation));
  if (r.config.streams == Config::Streams::kEager) stream.advance();
}

cudaError_t submit(Stream& stream, std::function<void()> run) {
  return submit_until(stream, [run = std::move(run)] {
    run();
    return true;
  });
}

cudaError_t submit_until(Stream& stream, std::function<bool()> run) {
  Runtime& r = runtime();
  if (stream.capture) {
    if (stream.capture->invalid()) return cudaErrorStreamCaptureInvalidated;
    stream.capture->add(stream, std::move(run));
    return cudaSuccess;
  }
  if (&stream == r.null_stream.get()) {
    bool captured = false;
    r.streams.for_each([&captured](const Stream& other) {
      captured = captured || (other.capture && (other.flags() & cudaStreamNonBlocking) == 0);
    });
    if (captured) {
      r.invalidate_captures();
      return cudaErrorStreamCaptureImplicit;
    }
  }
  enqueue(stream, {std::move(run), {}, nullptr});
  return cudaSuccess;
}

void synchronize(Stream& stream) {
  ++runtime().statistics.synchronizations;
  // enqueue() has ordered the default stream's work after the earlier work of the blocking streams.
  stream.finish();
  sanitizer::acquire(stream.token());
}

void wait_for_hosts() {
  constexpr auto kPatience = std::chrono::seconds(30);
  static thread_local std::uint64_t seen = 0;
  static thread_local std::chrono::steady_clock::time_point since;
  const auto now = std::chrono::steady_clock::now();
  if (seen != runtime().progress) {
    seen = runtime().progress;
    since = now;
  }
  if (now - since > kPatience)
    fail("deadlock: the work of a device waits for another device, whose process queues nothing");
  runtime_lock().unlock();
  std::this_thread::sleep_for(std::chrono::microseconds(50));
  runtime_lock().lock();
}

}  // namespace warpfit::emulation
