#include "host/report/metrics_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

// `action`: "cannot ...".
[[noreturn]] void fail(const std::string& path, const std::string& action, int error) {
  throw IoError(fmt::format("{}: {}: {}", path, action, std::generic_category().message(error)));
}

[[noreturn]] void fail_to_resume(const std::string& path, std::uint64_t keep, const std::string& found) {
  throw IoError(
      fmt::format("{}: the checkpoint goes on from its first {} bytes, but {}; put the file of the "
                  "checkpoint's run there, or begin a new run",
                  path, keep, found));
}

int open_to_append(const std::string& path, std::uint64_t keep) {
  // One that is missing is not created where rows are to be kept. O_RDWR: to see how those end, and Linux
  // opens a pipe so without waiting for its other end.
  const int flags = O_RDWR | O_APPEND | O_CLOEXEC | (keep == 0 ? O_CREAT : 0);
  constexpr mode_t kAsUmaskSays = 0666;
  const int descriptor = open(path.c_str(), flags, kAsUmaskSays);
  if (descriptor >= 0) return descriptor;
  if (errno == ENOENT && keep > 0) fail_to_resume(path, keep, "there is no such file");
  fail(path, "cannot open to write", errno);
}

void check_kept(int descriptor, const std::string& path, std::uint64_t keep) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) fail(path, "cannot stat", errno);
  if (!S_ISREG(status.st_mode))
    throw IoError(fmt::format("{}: cannot write: expected a regular file or nothing there", path));
  if (keep == 0) return;
  if (static_cast<std::uint64_t>(status.st_size) < keep)
    fail_to_resume(path, keep, fmt::format("there are {}", status.st_size));
  char last = 0;
  if (pread(descriptor, &last, 1, static_cast<off_t>(keep - 1)) != 1) fail(path, "cannot read", errno);
  if (last != '\n') fail_to_resume(path, keep, "they do not end with a row");
}

}  // namespace

MetricsFile::MetricsFile(std::string path, std::uint64_t keep)
    : path_(std::move(path)), size_(keep), descriptor_(open_to_append(path_, keep)) {
  try {
    check_kept(descriptor_, path_, keep);
    cut_to_size();
  } catch (...) {
    close(descriptor_);
    throw;
  }
}

MetricsFile::~MetricsFile() { close(descriptor_); }

void MetricsFile::cut_to_size() const {
  if (ftruncate(descriptor_, static_cast<off_t>(size_)) != 0)
    fail(path_, fmt::format("cannot cut to its first {} bytes", size_), errno);
}

void MetricsFile::write(std::string_view row) {
  std::string_view left = row;
  while (!left.empty()) {
    const ssize_t count = ::write(descriptor_, left.data(), left.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      const int error = count < 0 ? errno : ENOSPC;
      cut_to_size();
      fail(path_, fmt::format("cannot write a row at byte {}, those before it stay", size_), error);
    }
    left.remove_prefix(static_cast<std::size_t>(count));
  }
  size_ += row.size();
}

void MetricsFile::flush() const {
  if (fdatasync(descriptor_) != 0) fail(path_, "cannot flush", errno);
}

}  // namespace warpfit
