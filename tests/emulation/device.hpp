// Declares nvcc's built-ins for CUDA sources that are compiled as C++. It must be included first
// (warpfit_emulate() in CMakeLists.txt does this), before any header of the toolkit.
//
// Kernels may use: the built-in variables; barriers, votes, shuffles and reductions over a warp; atomics;
// fences; __nanosleep; vector types; the intrinsics of device_math.hpp; shared memory through SHARED_ARRAY
// and DYNAMIC_SHARED, and the asynchronous copies of <cuda_pipeline.h> to it. They are launched with
// cudaLaunchKernelEx. A loop that waits for another thread must call __nanosleep or an atomic operation.
#pragma once

#ifndef __CUDACC__
#define cudaLaunchKernelEx cudaLaunchKernelEx_of_the_toolkit  // replaced by device_launch.hpp
#include <cuda_runtime.h>
#undef cudaLaunchKernelEx
#include <cuda_bf16.h>
#undef __grid_constant__
#define __grid_constant__  // here an argument is the kernel's own constant copy anyway

#include "tests/emulation/device_atomics.hpp"
#include "tests/emulation/device_launch.hpp"
#include "tests/emulation/device_math.hpp"
#include "tests/emulation/device_memory.hpp"
#include "tests/emulation/device_threads.hpp"
#include "tests/emulation/device_warp.hpp"
#endif
