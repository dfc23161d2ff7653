// Memory of the CPU backend.
#include "host/cpu/cpu_backend.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace warpfit::test {
namespace {

constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

// The flags of the mapping that contains this address: "hg" asks for huge pages (proc_pid_smaps(5)).
std::string mapping_flags(const void* memory) {
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  std::ifstream maps("/proc/self/smaps");
  bool is_found = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t first = 0, last = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &first, &last) == 2)
      is_found = first <= address && address < last;
    if (is_found && line.starts_with("VmFlags:")) return line + " ";
  }
  return "";
}

TEST(CpuBackend, AsksForHugePagesForLargeMemory) {
  if (!std::filesystem::exists("/sys/kernel/mm/transparent_hugepage"))
    GTEST_SKIP() << "this kernel has no transparent huge pages";
  CpuBackend backend(1);
  for (const std::size_t bytes : {kHugePageBytes, 5 * kHugePageBytes + 12345}) {
    void* memory = backend.allocate(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % kHugePageBytes, 0U);
    for (const char* page = static_cast<char*>(memory); page < static_cast<char*>(memory) + bytes;
         page += kHugePageBytes) {
      // A mapping that ends within a huge page has small pages there.
      EXPECT_NE(mapping_flags(page + kHugePageBytes - 1).find(" hg "), std::string::npos);
    }
    backend.deallocate(memory);
  }
}

TEST(CpuBackend, SaysWhetherItUsesAmx) {
  EXPECT_EQ(CpuBackend(1).description().ends_with(", AMX)"), cpu::AmxProduct::is_available());
}

TEST(CpuBackend, AlignsSmallMemory) {
  CpuBackend backend(1);
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, kHugePageBytes - 1}) {
    void* memory = backend.allocate(bytes);
    ASSERT_NE(memory, nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % 64, 0U);
    backend.deallocate(memory);
  }
}

}  // namespace
}  // namespace warpfit::test
