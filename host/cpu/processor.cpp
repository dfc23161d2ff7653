#include "host/cpu/processor.hpp"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <thread>

namespace warpfit {

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

int usable_threads() {
  cpu_set_t cores;  // which taskset and mpirun can limit
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof cores, &cores) == 0) return std::max(1, CPU_COUNT(&cores));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// "MemTotal:       24689764 kB"
SystemMemory system_memory() {
  SystemMemory memory;
  std::ifstream info("/proc/meminfo");
  std::string name, unit;
  for (std::uint64_t kilobytes = 0; info >> name >> kilobytes && std::getline(info, unit);) {
    if (name == "MemTotal:") memory.total = kilobytes << 10;
    if (name == "MemAvailable:") memory.available = kilobytes << 10;
  }
  return memory;
}

}  // namespace warpfit
