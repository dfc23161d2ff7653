// A measurement from its options to its findings.
#pragma once

#include "host/report/benchmark.hpp"
#include "host/run/run_options.hpp"

namespace warpfit {

/// Opens data and device, makes the network and measures its training. The optimizer's name is left to the
/// caller. Errors: any of host/base/error.hpp.
BenchmarkFindings measure(const BenchmarkRunOptions& options);

}  // namespace warpfit
