#include "host/train/run_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "host/base/error.hpp"
#include "host/base/parse_number.hpp"
#include "host/files/atomic_file.hpp"

namespace warpfit {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kConfig = "config.toml";
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

[[noreturn]] void fail(const std::string& path, std::string_view doing, const std::error_code& error) {
  throw IoError(fmt::format("{}: cannot {}: {}", path, doing, error.message()));
}

void make_with_parents(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail(path, "make the folder", error);
}

void make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directory(path, error);
  if (error) fail(path, "make the folder", error);
}

// Two runs in one folder would overwrite each other's files.
int lock(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail(path, "open the run's folder", {errno, std::generic_category()});
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return descriptor;
  const std::error_code error(errno, std::generic_category());
  close(descriptor);
  if (error == std::errc::operation_would_block) {
    throw IoError(fmt::format("{}: another process is training in it; wait for its end", path));
  }
  fail(path, "lock the run's folder", error);
}

// One that cannot be looked at is not taken for none: a new run would overwrite it.
bool holds_run(const std::string& path) {
  const auto config = fs::path(path) / kConfig;
  std::error_code error;
  const bool found = fs::exists(config, error);
  if (error) fail(config.string(), "see whether there is a run", error);
  return found;
}

}  // namespace

RunFolder RunFolder::create(const std::string& path, std::string_view config) {
  make_with_parents(path);
  RunFolder folder(path, lock(path));
  if (holds_run(path)) {
    throw UsageError(fmt::format(
        "--run-dir {}: there is a run in it; warpfit resume {} goes on with it, or name another folder", path,
        path));
  }
  make_folder(folder.file(kCheckpoints));
  AtomicFile file(folder.file(kConfig));
  file.write(config);
  file.commit();
  return folder;
}

RunFolder RunFolder::open(const std::string& path) {
  RunFolder folder(path, lock(path));
  if (!holds_run(path)) {
    throw UsageError(fmt::format("{}: no {} in it; expected the folder of a run (--run-dir)", path, kConfig));
  }
  return folder;
}

RunFolder::RunFolder(RunFolder&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

RunFolder::~RunFolder() {
  if (lock_ >= 0) close(lock_);
}

std::string RunFolder::file(std::string_view name) const { return (fs::path(path_) / name).string(); }

// From the oldest to the newest; their names sort by step.
std::vector<std::string> RunFolder::checkpoints() const {
  std::vector<std::string> paths;
  std::error_code error;
  fs::directory_iterator entry(file(kCheckpoints), error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {  // ++ has errors of its own
    if (is_checkpoint_name(entry->path().filename().string())) paths.push_back(entry->path().string());
  }
  if (error && error != std::errc::no_such_file_or_directory)
    fail(file(kCheckpoints), "list the folder", error);
  std::ranges::sort(paths);
  return paths;
}

void RunFolder::save(const Checkpoint& checkpoint) const {
  make_folder(file(kCheckpoints));
  save_checkpoint((fs::path(file(kCheckpoints)) / checkpoint_name(checkpoint.state.step)).string(),
                  checkpoint);
  const auto all = checkpoints();
  for (std::size_t i = 0; i + kKept < all.size(); ++i) {
    std::error_code error;
    fs::remove(all[i], error);
    if (error) fail(all[i], "remove the old checkpoint", error);
  }
}

// Damaged ones are renamed: being the newest by name, they would have good ones removed before them.
std::optional<Checkpoint> RunFolder::newest(const std::function<void(std::string_view)>& skipped) const {
  const auto all = checkpoints();
  std::string last;
  for (auto path = all.rbegin(); path != all.rend(); ++path) {
    try {
      return load_checkpoint(*path);
    } catch (const ModelError& error) {
      last = error.what();
      skipped(fmt::format("checkpoint skipped: {}", last));
    }
    std::error_code error;
    fs::rename(*path, *path + ".damaged", error);
    if (error) fail(*path, "set the damaged checkpoint aside", error);
  }
  if (!all.empty()) {
    throw ModelError(
        fmt::format("{}: none of its {} checkpoints can be read; {}", file(kCheckpoints), all.size(), last));
  }
  return std::nullopt;
}

}  // namespace warpfit
