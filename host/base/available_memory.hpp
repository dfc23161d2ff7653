// How much memory a process can still get, so that a run can say at its start that it needs more.
#pragma once

#include <cstdint>
#include <string>

namespace warpfit {

/// Available memory in bytes: what the system reports (MemAvailable of /proc/meminfo), limited by what the
/// limits of the process's control groups leave (version 1 or 2; a container's limits). Without /proc the
/// largest number. `root` is put before all paths, for tests.
std::uint64_t available_memory(const std::string& root = "");

}  // namespace warpfit
