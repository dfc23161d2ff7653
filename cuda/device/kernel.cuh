// What every kernel source begins with: CUDA's types, and the two spellings of shared memory that another
// compiler can give a meaning of its own (the tests run these sources on the CPU).
#pragma once

#include <cuda_runtime.h>

#ifdef __CUDACC__
/// T name[N] in shared memory.
#define SHARED_ARRAY(T, name, N) __shared__ T name[N]
/// T name[], as long as the launch says.
#define DYNAMIC_SHARED(T, name) extern __shared__ T name[]
#endif
