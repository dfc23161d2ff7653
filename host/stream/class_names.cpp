#include "host/stream/class_names.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "host/base/error.hpp"
#include "host/base/terminal_text.hpp"
#include "host/base/utf8.hpp"
#include "host/files/file.hpp"

namespace warpfit {
namespace {

constexpr std::size_t kMaxName = 200;

void check_name(std::string_view name, std::size_t line, const std::string& path) {
  const bool is_text = is_utf8(name);
  const bool is_clean = is_text && sanitize_for_terminal(name) == name;
  if (!name.empty() && name.size() <= kMaxName && is_clean) return;
  throw DataError(fmt::format("{}: line {} {}, expected the name of class {} in at most {} bytes of UTF-8",
                              path, line + 1,
                              name.empty()             ? "is empty"
                              : name.size() > kMaxName ? fmt::format("has {} bytes", name.size())
                              : is_text                ? "contains a control character"
                                                       : "is not UTF-8",
                              line, kMaxName));
}

}  // namespace

std::vector<std::string> read_class_names(const std::string& path) {
  constexpr std::uint64_t kMaxBytes = 16 << 20;
  const File file(path);
  if (file.size() > kMaxBytes)
    throw DataError(fmt::format("{}: has {} bytes, expected the names of classes in at most {}", path,
                                file.size(), kMaxBytes));
  std::string text(file.size(), '\0');
  file.read(0, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  file.check_unchanged(file.size());
  std::string_view rest = text;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  rest = rest.substr(0, rest.find_last_not_of("\r\n") + 1);
  std::vector<std::string> names;
  while (!rest.empty()) {
    auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    check_name(line, names.size(), path);
    names.emplace_back(line);
  }
  if (names.empty())
    throw DataError(fmt::format("{}: is empty, expected the name of one class per line", path));
  return names;
}

std::string class_names_next_to(const std::string& labels_path) {
  const auto path = std::filesystem::path(labels_path).parent_path() / kClassNamesFile;
  std::error_code error;
  return std::filesystem::is_regular_file(path, error) ? path.string() : "";
}

}  // namespace warpfit
