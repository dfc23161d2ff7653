// Runs a benchmark: from its options to its results.
#pragma once

#include "host/report/benchmark.hpp"
#include "host/run/run_options.hpp"

namespace warpfit {

/// Opens the data and the device, creates the network and measures its training. The caller fills in the name
/// of the optimizer. Errors: any of host/base/error.hpp.
BenchmarkFindings measure(const BenchmarkRunOptions& options);

}  // namespace warpfit
