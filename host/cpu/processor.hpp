// The machine that the CPU backend runs on, as described by the operating system.
#pragma once

#include <cstdint>
#include <string>

namespace warpfit {

/// "AMD EPYC 9B14"
std::string processor_name();

/// Number of cores that this process may use.
int usable_threads();

/// In bytes; 0 if unknown.
struct SystemMemory {
  std::uint64_t total = 0;
  std::uint64_t available = 0;  ///< without swapping
};
SystemMemory system_memory();

}  // namespace warpfit
