// The emulated CUDA runtime, as its users see it: how it behaves (Config), what it did (Statistics), and how
// it reports what only an emulation can know (fail).
//
// The real kernels and the real CUDA backend are compiled by the host's C++ compiler with device.hpp before
// each file and linked against this instead of cudart and cuBLAS. See device.hpp for what kernels can use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace warpfit::emulation {

/// How the emulated machine behaves. From the environment (whole programs): WARPFIT_EMULATION, a list of
/// name=value separated by commas, as in "order=random,streams=lazy,seed=3,memory=64M,devices=1"; the names
/// are in config.cpp.
struct Config {
  /// The order in which threads, blocks and a graph's ready nodes run.
  enum class Order { kForward, kReverse, kRandom };
  /// Eager: queued work runs at once. Lazy: as late as its ordering allows, so that what nobody waits for is
  /// missing.
  enum class Streams { kEager, kLazy };
  /// What `fail` does after its message: abort, or throw Failure (for tests of the checkers).
  enum class OnFailure { kAbort, kThrow };

  Order order = Order::kForward;
  Streams streams = Streams::kEager;
  OnFailure on_failure = OnFailure::kAbort;
  unsigned seed = 1;

  int devices = 1;
  int device_error = 0;           ///< cudaGetDeviceCount returns it: 34, 35 or 100
  int multiprocessors = 4;        ///< of each device: bounds a cooperative grid
  int resident_blocks = 1 << 20;  ///< of a kernel on a multiprocessor, as MPS may limit them
  int lost_block = -1;            ///< of a cooperative grid's, along x: it never runs
  std::size_t device_memory = std::size_t{1} << 30;  ///< bytes of each device
  std::size_t pinned_memory = std::size_t{64}
                              << 30;  ///< bytes that can be pinned; 0: every request is refused

  /// A fault to inject: the fail_at-th call (from 1; 0: none) of the runtime function fail_function (empty:
  /// of any) returns fail_error without doing anything. An error that a device keeps (700, 719 ...) stays
  /// until a reset.
  std::string fail_function;
  int fail_at = 0;
  int fail_error = 0;

  /// Traps a host access to device memory outside the device's own work (slower: pages change protection).
  bool trap_host_access = false;
};

/// The configuration that WARPFIT_EMULATION's value spells, starting from the defaults.
/// Throws std::invalid_argument naming the item that is not understood.
Config parse_config(std::string_view text);

/// Starts a new machine: forgets every stream, event, graph and allocation of the old one. Not while work
/// runs.
void configure(const Config& config);

/// The configuration in force: the last one given to configure(), else the environment's.
const Config& config();

/// What happened since configure().
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
  std::int64_t host_functions = 0;
  std::int64_t graph_launches = 0;
  std::int64_t synchronizations = 0;  ///< waits of the host for a stream, an event or the device
  std::int64_t live_allocations = 0;  ///< device and pinned, not freed yet
  std::int64_t live_bytes = 0;        ///< of device memory
  std::int64_t peak_bytes = 0;        ///< of device memory
  std::int64_t live_streams = 0;
  std::int64_t live_events = 0;
  std::int64_t live_graphs = 0;  ///< graphs and executable graphs
  unsigned used_devices = 0;  ///< bit d: device d was the calling thread's in a call that can start a device
};
Statistics statistics();

/// What `fail` throws under OnFailure::kThrow.
class Failure : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Reports a mistake in a kernel or in the use of CUDA that CUDA itself would not name.
[[noreturn]] void fail(const char* format, ...) __attribute__((format(printf, 1, 2)));

}  // namespace warpfit::emulation
