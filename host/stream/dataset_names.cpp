#include "host/stream/dataset_names.hpp"

#include <algorithm>
#include <cctype>

namespace warpfit {
namespace {

bool is_all(std::string_view text, int (*test)(int)) {
  return !text.empty() &&
         std::ranges::all_of(text, [test](char c) { return test(static_cast<unsigned char>(c)) != 0; });
}

bool remove_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

bool remove_gz(std::string_view& name) {
  constexpr std::size_t kSize = 3;
  if (name.size() < kSize) return false;
  std::string end(name.substr(name.size() - kSize));
  std::ranges::transform(end, end.begin(), [](unsigned char c) { return std::tolower(c); });
  return end == ".gz" && remove_suffix(name, name.substr(name.size() - kSize));
}

// "-idx3-ubyte" and the like
bool remove_type(std::string_view& name) {
  const auto at = name.rfind("idx");
  if (at == name.npos || at == 0 || (name[at - 1] != '-' && name[at - 1] != '.')) return false;
  const auto type = name.substr(at + 3);
  const auto separator = type.find_first_of("-.");
  if (separator == type.npos || !is_all(type.substr(0, separator), std::isdigit) ||
      !is_all(type.substr(separator + 1), std::isalnum)) {
    return false;
  }
  name = name.substr(0, at - 1);
  return true;
}

}  // namespace

std::optional<DatasetFileName> parse_dataset_file_name(std::string_view name) {
  DatasetFileName parsed;
  parsed.is_gzip = remove_gz(name);
  const auto whole = name;
  if (!remove_type(name)) return std::nullopt;
  const bool images = remove_suffix(name, "-images");
  if (!images && !remove_suffix(name, "-labels")) return std::nullopt;
  const bool train = remove_suffix(name, "train");
  parsed.says_test = !train && remove_suffix(name, "test");
  if (!train && !parsed.says_test && !remove_suffix(name, "t10k")) return std::nullopt;
  if (!name.empty() && std::isalnum(static_cast<unsigned char>(name.back())) != 0) return std::nullopt;
  parsed.prefix = name;
  parsed.purpose = (train ? 0 : 2) + (images ? 0 : 1);
  parsed.is_usual = whole.substr(name.size()) == kUsualNames[parsed.purpose];
  return parsed;
}

}  // namespace warpfit
