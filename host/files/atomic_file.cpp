#include "host/files/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

// `action`: "cannot ...".
[[noreturn]] void fail(const std::string& path, const std::string& action, int error) {
  throw IoError(fmt::format("{}: {}: {}", path, action, std::generic_category().message(error)));
}

// /dev/null among what is refused: renaming onto it would take it away from everybody.
void check_replaceable(const std::string& path) {
  if (std::filesystem::path(path).filename().empty()) {
    throw IoError(fmt::format("'{}': cannot write: expected the path of a file, with its name", path));
  }
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == EACCES) return;  // none yet; or opening PATH.tmp says why not
    fail(path, "cannot write: cannot see what is there", errno);
  }
  if (S_ISREG(status.st_mode)) return;
  throw IoError(fmt::format("{}: cannot write: there is {}, expected a regular file or nothing", path,
                            S_ISDIR(status.st_mode) ? "a folder" : "a device or pipe"));
}

void flush_folder(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  const int folder = open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool flushed = folder >= 0 && fsync(folder) == 0;
  const int error = errno;
  if (folder >= 0) close(folder);
  if (!flushed) fail(path, "was written, but cannot flush its folder", error);
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)), temporary_(path_ + ".tmp") {
  check_replaceable(path_);
  if (unlink(temporary_.c_str()) != 0 && errno != ENOENT)
    fail(path_, fmt::format("cannot create {} to write it, nor remove the one there", temporary_), errno);
  constexpr mode_t kAsUmaskSays = 0666;
  descriptor_ = open(temporary_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, kAsUmaskSays);
  if (descriptor_ < 0) fail(path_, fmt::format("cannot create {} to write it", temporary_), errno);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  if (is_still_there()) unlink(temporary_.c_str());
  close(descriptor_);
}

// A second run that writes to PATH has removed this PATH.tmp and made its own.
bool AtomicFile::is_still_there() const noexcept {
  struct stat ours {};
  struct stat found {};
  return fstat(descriptor_, &ours) == 0 && lstat(temporary_.c_str(), &found) == 0 &&
         ours.st_dev == found.st_dev && ours.st_ino == found.st_ino;
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      fail(path_,
           fmt::format("cannot write at byte {} of {}, what was at its place stays", written_, temporary_),
           count < 0 ? errno : ENOSPC);
    }
    written_ += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void AtomicFile::commit() {
  if (fsync(descriptor_) != 0) fail(path_, fmt::format("cannot flush {}", temporary_), errno);
  if (!is_still_there()) {
    throw IoError(
        fmt::format("{}: cannot write: {} was removed or replaced meanwhile; does another run write there?",
                    path_, temporary_));
  }
  if (rename(temporary_.c_str(), path_.c_str()) != 0)
    fail(path_, fmt::format("cannot rename {}", temporary_), errno);
  close(std::exchange(descriptor_, -1));  // nothing is left to go wrong behind fsync
  flush_folder(path_);
}

}  // namespace warpfit
