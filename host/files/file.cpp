#include "host/files/file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/uio.h>
#include <unistd.h>

#include <utility>

#include "host/files/system_call.hpp"

namespace warpfit {
File::File(const FileLocation& location) : path_(location.path) {
  // O_NONBLOCK: opening a pipe must not block until it has a writer.
  constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  descriptor_ = retried([&] { return openat(location.folder, location.name.c_str(), kFlags); });
  if (descriptor_ < 0) fail_io(path_, "cannot open");
  try {
    opened_ = status_of(descriptor_, path_);
    if (S_ISDIR(opened_.st_mode)) throw IoError(fmt::format("{}: is a folder, expected a file", path_));
    if (!S_ISREG(opened_.st_mode)) throw IoError(fmt::format("{}: is not a regular file", path_));
  } catch (...) {
    close(descriptor_);
    throw;
  }
}

File::File(File&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      opened_(other.opened_) {}

File::~File() {
  if (descriptor_ >= 0) close(descriptor_);
}

void File::read(std::uint64_t offset, std::span<std::uint8_t> out) const {
  while (!out.empty()) {
    const auto count =
        retried([&] { return pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset)); });
    if (count < 0) fail_io(path_, fmt::format("cannot read at byte {}", offset));
    if (count == 0) {
      throw IoError(fmt::format("{}: ends at byte {} while it is read; it had {} bytes when it was opened",
                                path_, offset, size()));
    }
    offset += static_cast<std::uint64_t>(count);
    out = out.subspan(static_cast<std::size_t>(count));
  }
}

bool File::read_if_cached(std::uint64_t offset, std::span<std::uint8_t> out) const noexcept {
  const iovec buffer{out.data(), out.size()};
  const auto from = static_cast<off_t>(offset);
  if (preadv2(descriptor_, &buffer, 1, from, RWF_NOWAIT) == static_cast<ssize_t>(out.size())) return true;
  posix_fadvise(descriptor_, from, static_cast<off_t>(out.size()), POSIX_FADV_WILLNEED);
  return false;
}

void File::check_unchanged(std::uint64_t byte) const {
  const struct stat now = status_of(descriptor_, path_);
  const bool same = now.st_size == opened_.st_size && now.st_mtim.tv_sec == opened_.st_mtim.tv_sec &&
                    now.st_mtim.tv_nsec == opened_.st_mtim.tv_nsec;
  if (same) return;
  throw IoError(fmt::format("{}: was changed while it was read, up to byte {}: {} bytes when opened, {} now",
                            path_, byte, opened_.st_size, now.st_size));
}

}  // namespace warpfit
