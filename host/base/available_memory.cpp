#include "host/base/available_memory.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <string_view>

#include "host/base/parse_number.hpp"

namespace warpfit {
namespace {

namespace fs = std::filesystem;

constexpr auto kUnknown = std::numeric_limits<std::uint64_t>::max();

// The number after `key` in a file of lines "KEY NUMBER" or "KEY: NUMBER"; the first word for an empty key.
std::optional<std::uint64_t> number_in(const fs::path& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    if (!key.empty() && word != key) continue;
    if (!key.empty() && !(file >> word)) break;
    return parse_number<std::uint64_t>(word);
  }
  return std::nullopt;
}

// The file names of one version of control groups.
struct Version {
  const char *folder, *limit, *usage, *cache;
};
constexpr Version kFirst{"memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"};
constexpr Version kSecond{"", "memory.max", "memory.current", "inactive_file"};

// The memory that the limits of a group and of its parent groups leave. Inactive page cache counts as used,
// but is reclaimed when memory is short.
std::uint64_t left_in(const fs::path& base, const Version& version, fs::path group) {
  std::uint64_t left = kUnknown;
  while (true) {
    const auto folder = base / version.folder / group.relative_path();
    if (const auto limit = number_in(folder / version.limit, "")) {  // no number if it is "max"
      const auto usage = number_in(folder / version.usage, "").value_or(0);
      const auto cache = std::min(usage, number_in(folder / "memory.stat", version.cache).value_or(0));
      left = std::min(left, *limit - std::min(*limit, usage - cache));
    }
    if (!group.has_relative_path()) return left;
    group = group.parent_path();
  }
}

}  // namespace

std::uint64_t available_memory(const std::string& root) {
  std::uint64_t available = kUnknown;
  if (const auto kilobytes = number_in(root + "/proc/meminfo", "MemAvailable:")) {
    available = *kilobytes * 1024;
  }
  // Lines of /proc/self/cgroup: "4:memory:/group" of version 1, "0::/group" of version 2.
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && controllers != "memory") continue;
    available = std::min(available, left_in(root + "/sys/fs/cgroup", controllers.empty() ? kSecond : kFirst,
                                            line.substr(second + 1)));
  }
  return available;
}

}  // namespace warpfit
