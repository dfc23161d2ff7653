// What is called of OpenMP's runtime, which oneDNN shares its work with: its own header comes with a
// compiler, and the runtime here is oneDNN's (libgomp), whichever compiler this is. See the OpenMP API,
// "Thread Team Routines".
#pragma once

extern "C" {
void omp_set_num_threads(int threads) noexcept;  ///< of the parallel regions that the calling thread begins
int omp_get_thread_limit() noexcept;             ///< at most so many threads in the whole program
}
