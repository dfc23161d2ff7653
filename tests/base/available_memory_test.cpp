#include "host/base/available_memory.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

class AvailableMemory : public testing::Test {
 protected:
  void add(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((folder_.path() / path).parent_path());
    folder_.add(path, {text.begin(), text.end()});
  }
  [[nodiscard]] std::uint64_t found() const { return available_memory(folder_.path().string()); }

  TemporaryFolder folder_;
};

constexpr std::uint64_t kMachine = 8000ULL * 1024;

class AvailableMemoryInGroups : public AvailableMemory {
 protected:
  AvailableMemoryInGroups() {
    add("proc/meminfo", "MemTotal:  16000 kB\nMemFree:   100 kB\nMemAvailable:   8000 kB\n");
  }
};

TEST_F(AvailableMemory, IsUnboundedIfNothingIsKnown) {
  EXPECT_EQ(found(), std::numeric_limits<std::uint64_t>::max());
}

TEST_F(AvailableMemoryInGroups, IsTheMachinesWithoutLimits) {
  EXPECT_EQ(found(), kMachine);
  add("proc/self/cgroup", "0::/user/run\n");
  EXPECT_EQ(found(), kMachine);
  add("sys/fs/cgroup/user/run/memory.max", "max\n");
  EXPECT_EQ(found(), kMachine);
}

// The limits of parent groups also apply; memory used as page cache counts as available.
TEST_F(AvailableMemoryInGroups, IsWhatVersion2Leaves) {
  add("proc/self/cgroup", "0::/user/run\n");
  add("sys/fs/cgroup/user/run/memory.max", "5000000\n");
  add("sys/fs/cgroup/user/run/memory.current", "3000000\n");
  EXPECT_EQ(found(), 2'000'000U);
  add("sys/fs/cgroup/user/run/memory.stat", "anon 1\nactive_file 7\ninactive_file 500000\n");
  EXPECT_EQ(found(), 2'500'000U);
  add("sys/fs/cgroup/user/memory.max", "4000000\n");
  add("sys/fs/cgroup/user/memory.current", "3900000\n");
  EXPECT_EQ(found(), 100'000U);
  add("sys/fs/cgroup/user/memory.current", "4100000\n");
  EXPECT_EQ(found(), 0U);
}

TEST_F(AvailableMemoryInGroups, IsWhatVersion1Leaves) {
  add("proc/self/cgroup", "9:name=systemd:/x\n4:memory:/box\n3:cpuset:/tiny\n");
  add("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  add("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "5000000\n");
  add("sys/fs/cgroup/memory/box/memory.usage_in_bytes", "3000000\n");
  add("sys/fs/cgroup/memory/box/memory.stat", "cache 9\ninactive_file 1\ntotal_inactive_file 1000\n");
  add("sys/fs/cgroup/memory/tiny/memory.limit_in_bytes", "1\n");
  EXPECT_EQ(found(), 2'001'000U);
}

}  // namespace
}  // namespace warpfit::test
