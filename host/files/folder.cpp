#include "host/files/folder.hpp"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <utility>

#include "host/files/system_call.hpp"

namespace warpfit {
namespace {

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

struct stat status_of(int folder, const std::string& name, const std::string& path, bool& found) {
  struct stat status {};
  found = fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  if (!found && errno != ENOENT) fail_io(path, "cannot determine whether it exists");
  return status;
}

}  // namespace

FileLocation::FileLocation(const Folder& in, std::string_view file)
    : folder(in.descriptor()), name(file), path((std::filesystem::path(in.path()) / file).string()) {}

Folder::Folder(std::string path) : path_(std::move(path)) {
  descriptor_ = retried([&] { return open(path_.c_str(), kFolderFlags); });
  if (descriptor_ < 0) fail_io(path_, "cannot open the folder");
}

Folder::Folder(const Folder& parent, std::string_view name) : path_(parent.path_of(name)) {
  const std::string child(name);
  descriptor_ = retried([&] { return openat(parent.descriptor_, child.c_str(), kFolderFlags | O_NOFOLLOW); });
  if (descriptor_ >= 0) return;
  bool found = false;
  const int error = errno;
  const auto status = status_of(parent.descriptor_, child, path_, found);
  if (found && S_ISLNK(status.st_mode)) {
    throw IoError(fmt::format("{}: is a link, expected a folder; links are not followed here", path_));
  }
  fail_io(path_, "cannot open the folder", error);
}

Folder::Folder(Folder&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

Folder::~Folder() {
  if (descriptor_ >= 0) close(descriptor_);
}

std::string Folder::path_of(std::string_view name) const {
  return (std::filesystem::path(path_) / name).string();
}

bool Folder::make(std::string_view name) const {
  constexpr mode_t kAsUmaskSays = 0777;
  if (mkdirat(descriptor_, std::string(name).c_str(), kAsUmaskSays) == 0) return true;
  if (errno != EEXIST) fail_io(path_of(name), "cannot make the folder");
  return false;
}

std::vector<std::string> Folder::names() const {
  // Uses a separate descriptor, since reading changes its position.
  const int copy = retried([&] { return openat(descriptor_, ".", kFolderFlags); });
  if (copy < 0) fail_io(path_, "cannot list the folder");
  const std::unique_ptr<DIR, int (*)(DIR*)> list(fdopendir(copy), closedir);
  if (!list) {
    const int error = errno;
    close(copy);
    fail_io(path_, "cannot list the folder", error);
  }
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const auto* entry = readdir(list.get());
    if (entry == nullptr && errno != 0) fail_io(path_, "cannot list the folder");
    if (entry == nullptr) return names;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
}

bool Folder::has(std::string_view name) const {
  bool found = false;
  (void)status_of(descriptor_, std::string(name), path_of(name), found);
  return found;
}

void Folder::remove(std::string_view name) const {
  if (unlinkat(descriptor_, std::string(name).c_str(), 0) != 0) fail_io(path_of(name), "cannot remove it");
}

std::string Folder::set_aside(std::string_view name) const {
  std::string aside = fmt::format("{}.damaged", name);
  for (int number = 2; has(aside); ++number) aside = fmt::format("{}.damaged-{}", name, number);
  if (renameat(descriptor_, std::string(name).c_str(), descriptor_, aside.c_str()) != 0)
    fail_io(path_of(name), fmt::format("cannot rename it to {}", aside));
  return aside;
}

void Folder::flush() const {
  if (retried([&] { return fsync(descriptor_); }) != 0) fail_io(path_, "cannot flush the folder");
}

}  // namespace warpfit
