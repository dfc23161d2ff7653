// What a benchmark has measured, as a table and as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace warpfit {

/// Of several measurements of one thing.
struct Spread {
  double median = 0, lowest = 0, highest = 0;
};

/// Errors: none; `values` must not be empty. Of an even number the median is the mean of the middle two.
Spread spread_of(std::vector<double> values);

struct PhaseTime {
  std::string name;
  Spread seconds;    ///< of a step
  double flop = 0;   ///< of a step
  double bytes = 0;  ///< that a step reads and writes
};

/// A phase inside the fused kernel.
struct KernelPhaseTime {
  std::string name;
  double median = 0, slowest = 0;  ///< seconds a step, of the kernel's blocks
};

/// A way of the samples.
struct PathRate {
  std::string name;
  Spread samples;  ///< a second
};

struct BenchmarkFindings {
  std::string device, network, optimizer, engine;
  std::int64_t batch_size = 0;
  bool shuffle = false;
  std::int64_t steps = 0;         ///< in a measurement
  std::int64_t repeats = 0;       ///< measurements of each
  std::int64_t sample_bytes = 0;  ///< pixels and label
  std::vector<PhaseTime> phases;  ///< then the whole step, and the fused one where that was measured
  std::vector<KernelPhaseTime> kernel_phases;  ///< empty unless the build measures them
  std::vector<PathRate> paths;
  Spread copy_bytes;  ///< a second, of the largest copies to the device
};

std::string benchmark_text(const BenchmarkFindings& findings);
/// One line. Errors: ModelError where a name is no text.
std::string benchmark_json(const BenchmarkFindings& findings);

}  // namespace warpfit
