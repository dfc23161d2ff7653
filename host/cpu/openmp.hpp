// Declares the functions of the OpenMP runtime that are used here. oneDNN distributes its work with this
// runtime (libgomp). The OpenMP header depends on the compiler, while the runtime is always that of oneDNN.
// See the OpenMP API, "Thread Team Routines".
#pragma once

extern "C" {
void omp_set_num_threads(int threads) noexcept;  ///< for parallel regions of the calling thread
int omp_get_thread_limit() noexcept;             ///< maximum number of threads in the program
}
