// Included first by every kernel source: CUDA's types, and two macros for shared memory, so that another
// compiler can define them differently (the tests compile these sources for the CPU).
#pragma once

#include <cuda_runtime.h>

#ifdef __CUDACC__
/// T name[N] in shared memory.
#define SHARED_ARRAY(T, name, N) __shared__ T name[N]
/// T name[] in shared memory; the launch specifies its size.
#define DYNAMIC_SHARED(T, name) extern __shared__ T name[]
#endif
