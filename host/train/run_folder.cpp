#include "host/train/run_folder.hpp"

#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "host/base/parse_number.hpp"
#include "host/files/atomic_file.hpp"
#include "host/files/system_call.hpp"

namespace warpfit {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCheckpoints = "checkpoints";
constexpr std::string_view kStep = "step_";
constexpr std::string_view kEnding = ".safetensors";
constexpr std::size_t kKept = 3;

std::string checkpoint_name(std::int64_t step) { return fmt::format("{}{:012}{}", kStep, step, kEnding); }

bool is_checkpoint_name(std::string_view name) {
  if (!name.starts_with(kStep) || !name.ends_with(kEnding)) return false;
  const auto step =
      parse_number<std::int64_t>(name.substr(kStep.size(), name.size() - kStep.size() - kEnding.size()));
  return step && name == checkpoint_name(*step);
}

// From the oldest to the newest, because their names sort by step.
std::vector<std::string> checkpoints_in(const Folder& folder) {
  auto names = folder.names();
  std::erase_if(names, [](const std::string& name) { return !is_checkpoint_name(name); });
  std::ranges::sort(names);
  return names;
}

// Two runs in one folder would overwrite each other's files.
void lock(const Folder& folder) {
  if (retried([&] { return flock(folder.descriptor(), LOCK_EX | LOCK_NB); }) == 0) return;
  if (errno == EWOULDBLOCK) {
    throw IoError(fmt::format("{}: another process is training in it; wait until it ends", folder.path()));
  }
  fail_io(folder.path(), "cannot lock the run's folder");
}

// A new run must not overwrite anything.
void check_free(const Folder& folder) {
  if (folder.has(kConfigFile)) {
    throw UsageError(fmt::format(
        "--run-dir {}: it contains a run; resume it with warpfit resume {}, or name another folder",
        folder.path(), folder.path()));
  }
  const auto refuse = [&](std::string_view what) {
    throw UsageError(
        fmt::format("--run-dir {}: {} in it would be overwritten by a new run; name another folder",
                    folder.path(), what));
  };
  for (const auto name : {kMetricsJson, kMetricsCsv, kModelFile, kBestFile}) {
    if (folder.has(name)) refuse(name);
  }
  if (folder.has(kCheckpoints) && !checkpoints_in({folder, kCheckpoints}).empty()) refuse(kCheckpoints);
}

// Removes temporary files of a process that was killed; the lock guarantees that it no longer runs.
void remove_temporary(const Folder& folder) {
  for (const auto& name : folder.names()) {
    if (is_temporary_name(name)) folder.remove(name);
  }
}

}  // namespace

void RunFolder::MadeFolders::make_with_parents(const std::string& path) {
  constexpr mode_t kAsUmaskSays = 0777;
  fs::path prefix;
  for (const auto& part : fs::path(path)) {
    prefix /= part;
    std::error_code error;
    if (fs::is_directory(prefix, error)) continue;
    if (mkdir(prefix.c_str(), kAsUmaskSays) == 0) {
      add(prefix.string());
    } else if (errno != EEXIST) {
      fail_io(path, "cannot make the folder");
    }
  }
}

RunFolder::MadeFolders::~MadeFolders() {
  for (auto path = paths_.rbegin(); path != paths_.rend(); ++path) rmdir(path->c_str());
}

RunFolder RunFolder::create(const std::string& path) {
  MadeFolders made;
  made.make_with_parents(path);
  RunFolder folder(std::move(made), Folder(path));
  lock(folder.folder_);
  check_free(folder.folder_);
  folder.is_new_ = true;
  if (folder.folder_.make(kCheckpoints)) folder.made_.add(folder.file(kCheckpoints).path);
  check_writable({Folder(folder.folder_, kCheckpoints), kConfigFile});
  return folder;
}

RunFolder RunFolder::open(const std::string& path) {
  RunFolder folder({}, Folder(path));
  lock(folder.folder_);
  if (!folder.folder_.has(kConfigFile)) {
    throw UsageError(
        fmt::format("{}: no {} in it; expected the folder of a run (--run-dir)", path, kConfigFile));
  }
  folder.folder_.make(kCheckpoints);
  remove_temporary(folder.folder_);
  remove_temporary(Folder(folder.folder_, kCheckpoints));
  return folder;
}

RunFolder::~RunFolder() {
  if (!is_new_ || !has_files_ || folder_.descriptor() < 0) return;
  for (const auto name : {kConfigFile, kMetricsJson, kMetricsCsv}) {
    unlinkat(folder_.descriptor(), std::string(name).c_str(), 0);
  }
}

void RunFolder::write_config(std::string_view config) {
  has_files_ = true;
  AtomicFile file(this->file(kConfigFile));
  file.write(config);
  file.commit();
}

void RunFolder::keep() {
  folder_.flush();
  // A new folder survives a power failure only after its parent folder was flushed.
  for (const auto& path : made_.clear()) {
    const auto parent = fs::path(path).parent_path();
    Folder(parent.empty() ? "." : parent.string()).flush();
  }
  is_new_ = false;
}

void RunFolder::save(const Checkpoint& checkpoint) const {
  folder_.make(kCheckpoints);
  const Folder folder(folder_, kCheckpoints);
  const auto name = checkpoint_name(checkpoint.state.step);
  save_checkpoint({folder, name}, checkpoint);
  auto others = checkpoints_in(folder);
  std::erase(others, name);
  for (std::size_t i = 0; i + kKept - 1 < others.size(); ++i) folder.remove(others[i]);
}

// Damaged checkpoints are renamed: otherwise they would count as the newest, and good ones would be removed
// first.
std::optional<Checkpoint> RunFolder::newest(const std::function<void(std::string_view)>& skipped) const {
  const Folder folder(folder_, kCheckpoints);
  const auto all = checkpoints_in(folder);
  std::string last;
  for (auto name = all.rbegin(); name != all.rend(); ++name) {
    try {
      auto checkpoint = load_checkpoint({folder, *name});
      checkpoint.path = FileLocation(folder, *name).path;
      return checkpoint;
    } catch (const ModelError& error) {
      last = error.what();
    }
    skipped(fmt::format("checkpoint skipped: {}; it was renamed to {}", last, folder.set_aside(*name)));
  }
  if (all.empty()) return std::nullopt;
  throw ModelError(
      fmt::format("{}: none of its {} checkpoints can be read; {}", folder.path(), all.size(), last));
}

}  // namespace warpfit
