#include "host/report/metrics_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "host/files/system_call.hpp"

namespace warpfit {
namespace {

// O_NOFOLLOW and the check for hard links: an entry placed in the folder by somebody else must not redirect
// the output to another file. O_RDWR allows checking how the rows end; O_NONBLOCK prevents waiting for the
// other end of a pipe.
int open_to_append(const FileLocation& location, int create) {
  const int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | create;
  constexpr mode_t kAsUmaskSays = 0666;
  const int descriptor =
      retried([&] { return openat(location.folder, location.name.c_str(), flags, kAsUmaskSays); });
  if (descriptor >= 0 || (errno == ENOENT && create == 0)) return descriptor;
  if (errno == ELOOP)
    throw IoError(fmt::format("{}: cannot write: it is a link, which is not followed here", location.path));
  fail_io(location.path, "cannot open to write");
}

void check_ordinary(const struct stat& status, const std::string& path) {
  if (!S_ISREG(status.st_mode))
    throw IoError(fmt::format("{}: cannot write: expected a regular file or nothing there", path));
  if (status.st_nlink > 1) {
    throw IoError(fmt::format("{}: cannot write: the file has {} names (hard links), expected one", path,
                              status.st_nlink));
  }
}

// The reason why the first `keep` bytes are not the rows up to the checkpoint; "" if they are.
std::string problem_of(int descriptor, const struct stat& status, std::uint64_t keep,
                       const std::string& path) {
  if (keep == 0) return "";
  if (static_cast<std::uint64_t>(status.st_size) < keep)
    return fmt::format("it has {} bytes, but {} at the checkpoint", status.st_size, keep);
  char last = 0;
  const auto at = static_cast<off_t>(keep - 1);
  if (retried([&] { return pread(descriptor, &last, 1, at); }) != 1) fail_io(path, "cannot read");
  return last == '\n'
             ? ""
             : fmt::format("its first {} bytes, which the checkpoint covers, end in the middle of a row",
                           keep);
}

}  // namespace

MetricsFile::MetricsFile(const Folder& folder, std::string_view name, std::uint64_t keep)
    : path_(FileLocation(folder, name).path), size_(keep) {
  const FileLocation location(folder, name);
  descriptor_ = open_to_append(location, keep == 0 ? O_CREAT : 0);
  try {
    if (descriptor_ >= 0) {
      const auto status = status_of(descriptor_, path_);
      check_ordinary(status, path_);
      problem_ = problem_of(descriptor_, status, keep, path_);
      if (!problem_.empty()) problem_ += "; it was renamed to " + folder.set_aside(name);
    } else {
      problem_ = "it is missing";
    }
    if (!problem_.empty()) {
      if (descriptor_ >= 0) close(std::exchange(descriptor_, -1));
      descriptor_ = open_to_append(location, O_CREAT | O_EXCL);
      size_ = 0;
    }
    cut_to_size();
  } catch (...) {
    if (descriptor_ >= 0) close(descriptor_);
    throw;
  }
}

MetricsFile::~MetricsFile() { close(descriptor_); }

void MetricsFile::cut_to_size() const {
  if (retried([&] { return ftruncate(descriptor_, static_cast<off_t>(size_)); }) != 0)
    fail_io(path_, fmt::format("cannot truncate it to its first {} bytes", size_));
}

void MetricsFile::write(std::string_view row) {
  std::string_view left = row;
  while (!left.empty()) {
    const auto count = retried([&] { return ::write(descriptor_, left.data(), left.size()); });
    if (count <= 0) {
      const int error = count < 0 ? errno : ENOSPC;
      cut_to_size();
      fail_io(path_, fmt::format("cannot write a row at byte {}; the rows before it are kept", size_), error);
    }
    left.remove_prefix(static_cast<std::size_t>(count));
  }
  size_ += row.size();
}

void MetricsFile::flush() const {
  if (retried([&] { return fdatasync(descriptor_); }) != 0) fail_io(path_, "cannot flush");
}

}  // namespace warpfit
