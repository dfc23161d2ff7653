// Whether memory is left for the code that oneDNN generates. Its version 2 does not check that it got memory
// for a kernel, and calls address 0 without: a process at its limit (ulimit -v) ended with SIGSEGV.
#pragma once

namespace warpfit::cpu {

/// To be called before the first product of each shape, for which oneDNN may generate kernels. Takes
/// microseconds. Errors: OutOfMemory if there is less than they take.
void check_headroom();

}  // namespace warpfit::cpu
