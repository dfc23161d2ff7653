// Checks that enough memory is available for the code that oneDNN generates. Version 2 of oneDNN does not
// check whether the allocation for a kernel failed, and then calls address 0: a process at its memory limit
// (ulimit -v) ended with SIGSEGV.
#pragma once

namespace warpfit::cpu {

/// To be called before the first product of each shape, for which oneDNN may generate kernels. Takes
/// microseconds. Errors: OutOfMemory if not enough memory is available for them.
void check_headroom();

}  // namespace warpfit::cpu
