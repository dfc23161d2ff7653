// NVTX ranges in the domain "warpfit", and what a profiler captures.
#pragma once

#include <cstdint>

namespace warpfit {

void begin_profile_range(const char* name, std::int64_t number);
void end_profile_range() noexcept;
void name_this_thread(const char* name);
/// Tells a profiler that waits for it (nsys --capture-range=cudaProfilerApi) to start or stop.
void capture_profile_now(bool on);

}  // namespace warpfit
