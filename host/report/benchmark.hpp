// The results of a benchmark, as a table and as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace warpfit {

/// The distribution of several measurements of the same quantity.
struct Spread {
  double median = 0, lowest = 0, highest = 0;
};

/// Errors: none; `values` must not be empty. For an even number of values, the median is the mean of the two
/// middle ones.
Spread spread_of(std::vector<double> values);

struct PhaseTime {
  std::string name;
  Spread seconds;    ///< per step
  double flop = 0;   ///< per step
  double bytes = 0;  ///< read and written per step
};

/// A phase inside the fused kernel.
struct KernelPhaseTime {
  std::string name;
  double median = 0, slowest = 0;  ///< seconds per step, over the blocks of the kernel
};

/// The throughput of one part of the path from the data set to the device.
struct PathRate {
  std::string name;
  Spread samples;  ///< per second
};

struct BenchmarkFindings {
  std::string device, network, optimizer, engine;
  std::int64_t batch_size = 0;
  bool shuffle = false;
  std::int64_t steps = 0;         ///< per measurement
  std::int64_t repeats = 0;       ///< measurements of each
  std::int64_t sample_bytes = 0;  ///< of pixels and label
  std::vector<PhaseTime> phases;  ///< followed by the whole step, and the fused step if it was measured
  std::vector<KernelPhaseTime> kernel_phases;  ///< empty unless the build measures them
  std::vector<PathRate> paths;
  Spread copy_bytes;  ///< per second, for the largest copies to the device
};

std::string benchmark_text(const BenchmarkFindings& findings);
/// One line of JSON. Errors: ModelError if a name is not valid UTF-8.
std::string benchmark_json(const BenchmarkFindings& findings);

}  // namespace warpfit
