// The public interface of the emulated CUDA runtime: its configuration (Config), counters (Statistics), and
// reports of errors that only an emulation can detect (fail).
//
// The real kernels and the real CUDA backend are compiled by the host's C++ compiler with device.hpp included
// before each file, and linked against this library instead of cudart and cuBLAS. See device.hpp for what
// kernels can use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace warpfit::emulation {

/// The configuration of the emulated machine. Whole programs read it from the environment variable
/// WARPFIT_EMULATION, a list of name=value separated by commas, such as
/// "order=random,streams=lazy,seed=3,memory=64M,devices=1"; config.cpp has the list of names.
struct Config {
  /// The order in which threads, blocks and a graph's ready nodes run.
  enum class Order { kForward, kReverse, kRandom };
  /// Eager: queued work runs immediately. Lazy: it runs as late as its ordering allows, so that a missing
  /// wait gives a wrong result.
  enum class Streams { kEager, kLazy };
  /// What `fail` does after printing its message: abort, or throw Failure (for the tests of the checks).
  enum class OnFailure { kAbort, kThrow };

  Order order = Order::kForward;
  Streams streams = Streams::kEager;
  OnFailure on_failure = OnFailure::kAbort;
  unsigned seed = 1;

  int devices = 1;
  int device_error = 0;           ///< returned by cudaGetDeviceCount: 34, 35 or 100
  int multiprocessors = 4;        ///< per device: limits the size of a cooperative grid
  int resident_blocks = 1 << 20;  ///< per kernel and multiprocessor, as MPS may limit them
  int lost_block = -1;   ///< index along x of a block of a cooperative grid that never runs; -1: none
  int nccl_version = 0;  ///< as returned by ncclGetVersion; 0: the version of its header
  std::size_t device_memory = std::size_t{1} << 30;   ///< bytes per device
  std::size_t pinned_memory = std::size_t{64} << 30;  ///< limit of pinned bytes; 0: every request fails

  /// Fault injection: call number fail_at (from 1; 0: none) of the runtime function fail_function (empty: any
  /// function) returns fail_error without doing anything. A sticky error (700, 719 ...) remains until the
  /// device is reset.
  std::string fail_function;
  int fail_at = 0;
  int fail_error = 0;

  /// Traps host access to device memory outside the device's own work (slower, since page protection changes
  /// each time).
  bool trap_host_access = false;
};

/// Parses the value of WARPFIT_EMULATION; what it does not set has its default. Throws std::invalid_argument,
/// which names the invalid item.
Config parse_config(std::string_view text);

/// Starts a new machine: discards all streams, events, graphs and allocations of the old one. Must not be
/// called while work runs.
void configure(const Config& config);

/// The current configuration: the argument of the last configure(), otherwise that of the environment.
const Config& config();

/// Counters since configure().
struct Statistics {
  std::int64_t api_calls = 0;
  std::int64_t kernels = 0;
  std::int64_t blocks = 0;
  std::int64_t threads = 0;
  std::int64_t copies = 0;
  std::int64_t bytes_to_device = 0;
  std::int64_t bytes_to_host = 0;
  std::int64_t fills = 0;
  std::int64_t matrix_products = 0;
  std::int64_t convolutions = 0;
  std::int64_t host_functions = 0;
  std::int64_t rank_sums = 0;      ///< of ncclAllReduce, on each rank
  std::int64_t rank_messages = 0;  ///< received by ncclRecv
  std::int64_t graph_launches = 0;
  std::int64_t synchronizations = 0;  ///< times the host waited for a stream, an event or the device
  std::int64_t live_allocations = 0;  ///< of device and pinned memory, not freed yet
  std::int64_t live_bytes = 0;        ///< of device memory
  std::int64_t peak_bytes = 0;        ///< of device memory
  std::int64_t live_streams = 0;
  std::int64_t live_events = 0;
  std::int64_t live_graphs = 0;       ///< graphs and executable graphs
  std::int64_t live_descriptors = 0;  ///< of cuDNN's graph API
  unsigned used_devices = 0;          ///< bit d: device d was current in a call that may initialize a device
};
Statistics statistics();

/// What `fail` throws under OnFailure::kThrow.
class Failure : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Reports a mistake in a kernel or in the use of CUDA that CUDA itself would not report.
[[noreturn]] void fail(const char* format, ...) __attribute__((format(printf, 1, 2)));

}  // namespace warpfit::emulation
