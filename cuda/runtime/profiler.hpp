// NVTX ranges in the domain "warpfit", and control of the profiler.
#pragma once

#include <cstdint>

namespace warpfit {

void begin_profile_range(const char* name, std::int64_t number);
void end_profile_range() noexcept;
void name_this_thread(const char* name);
/// Starts or stops a profiler that waits for this call (nsys --capture-range=cudaProfilerApi).
void capture_profile_now(bool on);

}  // namespace warpfit
