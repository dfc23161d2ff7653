// The machine that the CPU backend runs on, as the system describes it.
#pragma once

#include <cstdint>
#include <string>

namespace warpfit {

/// "AMD EPYC 9B14"
std::string processor_name();

/// The cores that this process may use.
int usable_threads();

/// Bytes; 0 where the system does not tell.
struct SystemMemory {
  std::uint64_t total = 0;
  std::uint64_t available = 0;  ///< without swapping
};
SystemMemory system_memory();

}  // namespace warpfit
