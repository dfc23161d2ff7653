#include "host/stream/dataset_files.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/listing.hpp"
#include "host/stream/dataset_names.hpp"

namespace warpfit {
namespace {

namespace fs = std::filesystem;

struct Purpose {
  std::string DatasetPaths::*path;
  std::string_view flag;
};

// As kUsualNames has them.
constexpr std::array<Purpose, kUsualNames.size()> kPurposes{{
    {&DatasetPaths::train_images, "--train-images"},
    {&DatasetPaths::train_labels, "--train-labels"},
    {&DatasetPaths::test_images, "--test-images"},
    {&DatasetPaths::test_labels, "--test-labels"},
}};

// The less the better: a link that leads nowhere, another name than the usual one, gzip, a folder around the
// file.
using Rank = std::tuple<bool, bool, bool, bool>;

Rank rank_of(const DatasetFileName& name, const fs::path& path, bool in_folder) {
  std::error_code error;
  return {!fs::exists(path, error), !name.is_usual, name.is_gzip, in_folder};
}

// The best file for each purpose, among the files of a folder that have the same prefix.
struct DataSet {
  fs::path folder;
  std::string prefix;
  std::array<std::optional<std::pair<Rank, fs::path>>, kPurposes.size()> files;
  bool says_t10k = false, says_test = false;  // the names of the test set

  void add(const DatasetFileName& name, const fs::path& path, bool in_folder) {
    auto& best = files[name.purpose];
    const std::pair candidate{rank_of(name, path, in_folder), path};
    if (!best || candidate < *best) best = candidate;
    says_t10k = says_t10k || (name.purpose >= 2 && !name.says_test);
    says_test = says_test || name.says_test;
  }
  // The usual name, in the way of this data set: EMNIST and QMNIST, with a prefix, have "test" for "t10k".
  [[nodiscard]] std::string name_of(std::size_t purpose) const {
    std::string name(kUsualNames[purpose]);
    const bool is_test = says_test || (!prefix.empty() && !says_t10k);
    if (purpose >= 2 && is_test) name.replace(0, name.find('-'), "test");
    return prefix + name;
  }
  [[nodiscard]] std::size_t count_of(std::span<const std::size_t> wanted) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(wanted, [this](std::size_t purpose) { return files[purpose].has_value(); }));
  }
  // The value of --data that selects this data set.
  [[nodiscard]] std::string argument() const {
    const std::string_view separators = "-_.";
    const auto end = prefix.find_last_not_of(separators);
    return prefix.empty() ? folder.string() : (folder / prefix.substr(0, end + 1)).string();
  }
};

class Search {
 public:
  Search(fs::path folder, std::vector<std::size_t> wanted)
      : folder_(without_slash(std::move(folder))), wanted_(std::move(wanted)) {
    std::error_code error;
    const auto status = fs::status(folder_, error);
    prefix_ = fs::exists(status) ? "" : folder_.filename().string();
    if (!prefix_.empty()) {
      list(parent(), true);
      if (!tiers_.empty()) return;
    }
    if (status.type() == fs::file_type::not_found) fail_without_folder();
    if (error) fail_to_look(folder_, error);
    if (!fs::is_directory(status))
      throw IoError(fmt::format("{}: not a folder; --data names the folder of a data set", folder_.string()));
    list(folder_, true);
    list(folder_ / "raw", true);
    for (const auto& below : entries(folder_)) {
      if (fs::is_directory(below / "raw", error)) list(below / "raw", tiers_.size() == kFirstTiers);
    }
  }

  // The data set of the first tier that has a complete one.
  [[nodiscard]] DataSet found() const {
    for (const auto& tier : tiers_) {
      std::vector<DataSet> complete;
      std::ranges::copy_if(tier, std::back_inserter(complete),
                           [this](const DataSet& set) { return set.count_of(wanted_) == wanted_.size(); });
      if (complete.size() == 1) return complete.front();
      if (complete.size() > 1) fail_to_choose(complete);
    }
    fail_to_find();
  }

 private:
  // Data sets without and with a prefix in the folder, likewise in raw. The tiers of */raw follow.
  static constexpr std::size_t kFirstTiers = 4;

  // "a/b/" has no file name, but "a/b" has.
  static fs::path without_slash(fs::path path) {
    while (!path.has_filename() && path.has_relative_path()) path = path.parent_path();
    return path;
  }

  [[nodiscard]] fs::path parent() const { return folder_.has_parent_path() ? folder_.parent_path() : "."; }

  [[noreturn]] static void fail_to_look(const fs::path& path, const std::error_code& error) {
    throw IoError(fmt::format("{}: cannot search for the data set: {}", path.string(), error.message()));
  }

  [[noreturn]] static void fail_to_choose(const std::vector<DataSet>& sets) {
    std::vector<std::string> names;
    for (const auto& set : sets) names.push_back(set.argument());
    throw UsageError(fmt::format("--data: {} data sets match: {}; name one of them", names.size(),
                                 fmt::join(names, ", ")));
  }

  [[noreturn]] void fail_without_folder() {
    constexpr std::size_t kMaxNames = 10;
    std::set<std::string> similar;
    for (const auto& path : entries(parent())) {
      const auto name = parse_dataset_file_name(path.filename().string());
      if (!name || prefix_.empty() || !name->prefix.starts_with(prefix_)) continue;
      DataSet set;
      set.folder = folder_.parent_path();
      set.prefix = name->prefix;
      similar.insert(set.argument());
    }
    const std::vector<std::string> names(similar.begin(), similar.end());
    throw IoError(fmt::format("{}: no such folder; {}", folder_.string(),
                              names.empty()
                                  ? "--data names the folder of a data set"
                                  : fmt::format("the names of these data sets begin so: {}; name one of them",
                                                listing(names, kMaxNames))));
  }

  [[noreturn]] void fail_to_find() const {
    const DataSet* closest = nullptr;
    for (const auto& tier : tiers_) {
      for (const auto& set : tier) {
        if (closest == nullptr || set.count_of(wanted_) > closest->count_of(wanted_)) closest = &set;
      }
    }
    if (closest == nullptr && failure_) fail_to_look(failure_->first, failure_->second);
    const auto missing = std::ranges::find_if(
        wanted_, [closest](std::size_t purpose) { return closest == nullptr || !closest->files[purpose]; });
    const auto name = (closest == nullptr ? DataSet() : *closest).name_of(*missing);
    throw IoError(fmt::format("{}: no {} or {}.gz in it; name the file with {}",
                              (closest == nullptr ? folder_ : closest->folder).string(), name, name,
                              kPurposes[*missing].flag));
  }

  // Sorted. A folder that cannot be read is skipped, but named in the error if nothing is found elsewhere.
  std::vector<fs::path> entries(const fs::path& folder) {
    std::vector<fs::path> paths;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
         entry.increment(error)) {
      paths.push_back(entry->path());
    }
    if (error && error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory &&
        !failure_) {
      failure_ = {folder, error};
    }
    std::ranges::sort(paths);
    return paths;
  }

  void list(const fs::path& folder, bool new_tiers) {
    std::map<std::string, DataSet> sets;
    const auto add = [&](const DatasetFileName& name, const fs::path& path, bool in_folder) {
      if (!prefix_.empty() && !is_prefix(name.prefix)) return;
      auto& set = sets[name.prefix];
      set.folder = folder;
      set.prefix = name.prefix;
      set.add(name, path, in_folder);
    };
    for (const auto& path : entries(folder)) {
      const auto name = parse_dataset_file_name(path.filename().string());
      if (!name) continue;
      std::error_code error;
      if (!fs::is_directory(path, error)) {
        add(*name, path, false);
        continue;
      }
      for (const auto& inner : entries(path)) {
        const auto inner_name = parse_dataset_file_name(inner.filename().string());
        if (inner_name && inner_name->purpose == name->purpose && inner_name->prefix == name->prefix &&
            !fs::is_directory(inner, error)) {
          add(*inner_name, inner, true);
        }
      }
    }
    if (new_tiers) tiers_.resize(tiers_.size() + 2);
    for (auto& [prefix, set] : sets) {
      tiers_[tiers_.size() - (prefix.empty() ? 2 : 1)].push_back(std::move(set));
    }
    if (!prefix_.empty() && sets.empty()) tiers_.clear();
  }

  [[nodiscard]] bool is_prefix(std::string_view prefix) const {
    return prefix.starts_with(prefix_) && std::ranges::none_of(prefix.substr(prefix_.size()), [](char c) {
             return std::isalnum(static_cast<unsigned char>(c)) != 0;
           });
  }

  fs::path folder_;
  std::vector<std::size_t> wanted_;
  std::string prefix_;  // required prefix of the files' names; may be empty
  std::vector<std::vector<DataSet>> tiers_;
  std::optional<std::pair<fs::path, std::error_code>> failure_;
};

DatasetPaths find_files(const std::string& folder, DatasetPaths given, std::size_t first, std::size_t count) {
  std::vector<std::size_t> wanted;
  for (std::size_t purpose = first; purpose < first + count; ++purpose) {
    if (!(given.*kPurposes[purpose].path).empty()) continue;
    if (folder.empty()) {
      throw UsageError(
          fmt::format("no {} given; name the folder of the data set with --data", kPurposes[purpose].flag));
    }
    wanted.push_back(purpose);
  }
  if (wanted.empty()) return given;
  const auto found = Search(folder, wanted).found();
  for (const auto purpose : wanted) given.*kPurposes[purpose].path = found.files[purpose]->second.string();
  return given;
}

}  // namespace

DatasetPaths find_dataset(const std::string& folder, DatasetPaths given) {
  return find_files(folder, std::move(given), 0, kPurposes.size());
}

DatasetPaths find_training_set(const std::string& folder, DatasetPaths given) {
  return find_files(folder, std::move(given), 0, 2);
}

DatasetPaths find_test_set(const std::string& folder, DatasetPaths given) {
  return find_files(folder, std::move(given), 2, 2);
}

std::string describe_files(const DatasetPaths& paths) {
  std::vector<std::string> files, names;
  std::vector<fs::path> folders;
  for (const auto& purpose : kPurposes) {
    const fs::path path = paths.*purpose.path;
    if (path.empty()) continue;
    files.push_back(path.string());
    names.push_back(path.filename().string());
    folders.push_back(path.parent_path());
  }
  const bool in_one = !folders.empty() && std::ranges::all_of(folders, [&](const fs::path& folder) {
    return folder == folders.front();
  });
  if (!in_one || folders.front().empty()) return fmt::format("{}", fmt::join(files, ", "));
  return fmt::format("{}: {}", folders.front().string(), fmt::join(names, ", "));
}

}  // namespace warpfit
