#include "host/files/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <utility>

#include "host/files/system_call.hpp"

namespace warpfit {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStart = ".warpfit-";
constexpr std::string_view kEnding = ".tmp";

std::string name_in(const FileLocation& location) {
  auto name = fs::path(location.name).filename().string();
  if (name.empty()) {
    throw IoError(
        fmt::format("'{}': cannot write: expected the path of a file, with its name", location.path));
  }
  return name;
}

Folder folder_of(const FileLocation& location) {
  const fs::path parent = fs::path(location.name).parent_path() / ".";
  const int descriptor =
      retried([&] { return openat(location.folder, parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (descriptor < 0) fail_io(location.path, "cannot write: cannot open its folder");
  return {descriptor, parent.string()};
}

// Files in these folders represent devices and processes: replacing one would affect the whole system.
bool is_of_the_system(const fs::path& path) {
  auto part = path.begin();
  if (part == path.end() || *part != "/" || ++part == path.end()) return false;
  if (*part == "proc" || *part == "sys") return true;
  return *part == "dev" && (++part == path.end() || *part != "shm");  // /dev/shm holds ordinary files
}

// Whether the file is in such a folder, or is a symbolic link into one, directly or over other links.
bool leads_to_the_system(const Folder& folder, std::string name) {
  constexpr int kMaxLinks = 40;  // Linux's limit
  std::error_code error;
  fs::path parent = fs::read_symlink(fmt::format("/proc/self/fd/{}", folder.descriptor()), error);
  for (int links = 0; links < kMaxLinks && !error; ++links) {
    if (is_of_the_system(parent / name)) return true;
    const auto target = fs::read_symlink(parent / name, error);
    if (error) return false;            // not a link
    const auto next = parent / target;  // `target` alone if it begins with '/'
    name = next.filename().string();
    parent = fs::canonical(next.parent_path(), error);
    if (error) return is_of_the_system(next);
  }
  return false;
}

// The permissions of the file that is replaced, if there is one.
std::optional<mode_t> check_replaceable(const Folder& folder, const std::string& name,
                                        const std::string& path) {
  if (leads_to_the_system(folder, name)) {
    throw IoError(
        fmt::format("{}: cannot write: it leads into /dev, /proc or /sys, expected the path of a "
                    "regular file",
                    path));
  }
  struct stat status {};
  if (fstatat(folder.descriptor(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return std::nullopt;
    fail_io(path, "cannot write: cannot determine what is there");
  }
  if (S_ISLNK(status.st_mode)) return std::nullopt;
  if (S_ISREG(status.st_mode)) return status.st_mode & 0777;
  throw IoError(fmt::format("{}: cannot write: there is {}, expected a regular file or nothing", path,
                            S_ISDIR(status.st_mode) ? "a folder" : "a device or pipe"));
}

}  // namespace

bool is_temporary_name(std::string_view name) { return name.starts_with(kStart) && name.ends_with(kEnding); }

void check_writable(const FileLocation& location) { AtomicFile(location).discard(); }

AtomicFile::AtomicFile(const FileLocation& location)
    : path_(location.path), name_(name_in(location)), folder_(folder_of(location)) {
  const auto permissions = check_replaceable(folder_, name_, path_);
  create_temporary();
  if (!permissions || fchmod(descriptor_, *permissions) == 0) return;
  const int error = errno;
  unlinkat(folder_.descriptor(), temporary_.c_str(), 0);
  close(descriptor_);
  fail_io(path_, action("copy the permissions of the existing file to"), error);
}

void AtomicFile::create_temporary() {
  constexpr mode_t kAsUmaskSays = 0666;
  constexpr std::size_t kMaxNameBytes = 200;  // bytes; a name has at most 255
  for (int number = 1; descriptor_ < 0; ++number) {
    temporary_ =
        fmt::format("{}{}-{}-{}{}", kStart, getpid(), number, name_.substr(0, kMaxNameBytes), kEnding);
    descriptor_ = retried([&] {
      return openat(folder_.descriptor(), temporary_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC,
                    kAsUmaskSays);
    });
    if (descriptor_ < 0 && errno != EEXIST) fail_io(path_, action("create"));
  }
}

// "cannot write: cannot create .warpfit-1-1-model.tmp in its folder"
std::string AtomicFile::action(std::string_view verb) const {
  return fmt::format("cannot write: cannot {} {} in its folder", verb, temporary_);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  unlinkat(folder_.descriptor(), temporary_.c_str(), 0);
  close(descriptor_);
}

void AtomicFile::discard() {
  if (unlinkat(folder_.descriptor(), temporary_.c_str(), 0) != 0) fail_io(path_, action("remove"));
  close(std::exchange(descriptor_, -1));
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto count = retried([&] { return ::write(descriptor_, bytes.data(), bytes.size()); });
    if (count <= 0) {
      fail_io(path_, fmt::format("cannot write at byte {}; the file there is unchanged", written_),
              count < 0 ? errno : ENOSPC);
    }
    written_ += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void AtomicFile::commit() {
  if (retried([&] { return fsync(descriptor_); }) != 0) fail_io(path_, action("flush"));
  if (renameat(folder_.descriptor(), temporary_.c_str(), folder_.descriptor(), name_.c_str()) != 0)
    fail_io(path_, action("rename"));
  close(std::exchange(descriptor_, -1));  // after fsync, errors of close() do not matter
  if (retried([&] { return fsync(folder_.descriptor()); }) != 0)
    fail_io(path_, "was written, but cannot flush its folder");
}

}  // namespace warpfit
