// A library for LD_PRELOAD that simulates a failing disk. It counts, from 1, a program's calls on files in
// the folder WARPFIT_FAIL_IN.
//   WARPFIT_CALLS=FILE     writes the calls to FILE, one per line: NAME PATH
//   WARPFIT_FAIL_AT=K      makes call K fail, in the way given by
//   WARPFIT_FAIL_WITH=HOW  ENOSPC; EIO; EINTR, as if a signal had arrived; half: a read or write transfers
//                          half of its bytes; short: the same, and the disk is full at the next call.
// WARPFIT_FAIL_THREADS_AFTER=K lets the system create K threads and no more.
// Nothing is flushed to the disk, because no test cuts the power and waiting for the disk took most of the
// time.
// The functions are those that warpfit and libstdc++ call (strace, nm -D --undefined-only).
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

std::string text_of(const char* variable) {
  const char* given = std::getenv(variable);
  return given != nullptr ? given : "";
}

// Does not change errno: the program may read it next.
std::string path_of(int descriptor) {
  const int before = errno;
  std::array<char, 4096> path{};
  const auto link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t size = readlink(link.c_str(), path.data(), path.size());
  errno = before;
  return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size)) : "";
}

// The path of a file whose name is relative to an open folder.
std::string path_in(int folder, const std::string& path) {
  if (folder == AT_FDCWD || path.starts_with('/')) return path;
  return path == "." ? path_of(folder) : path_of(folder) + "/" + path;
}

enum class Verdict { kPasses, kFails, kShort };

class Disk {
 public:
  static Disk& instance() {
    static Disk disk;
    return disk;
  }

  // Sets errno if the call fails.
  Verdict decide(const char* name, const std::string& path) {
    if (path != folder_ && !path.starts_with(folder_ + "/")) return Verdict::kPasses;
    const long number = ++calls_;
    if (record_ != nullptr) {
      std::fprintf(record_, "%s %s\n", name, path.c_str());
      std::fflush(record_);  // a killed program leaves what it wrote
    }
    const bool is_short = how_ == "short";
    if (number == at_ && (is_short || how_ == "half")) return Verdict::kShort;
    if (number != (is_short ? at_ + 1 : at_)) return Verdict::kPasses;
    errno = how_ == "EIO" ? EIO : how_ == "EINTR" ? EINTR : ENOSPC;
    return Verdict::kFails;
  }

 private:
  std::string folder_ = text_of("WARPFIT_FAIL_IN");
  std::string how_ = text_of("WARPFIT_FAIL_WITH");
  long at_ = std::atol(text_of("WARPFIT_FAIL_AT").c_str());
  std::FILE* record_ = std::fopen(text_of("WARPFIT_CALLS").c_str(), "w");
  std::atomic<long> calls_ = 0;
};

bool fails(const char* name, const std::string& path) {
  return Disk::instance().decide(name, path) == Verdict::kFails;
}

// At least one byte, because a count of 0 would mean the end of the file.
size_t taken(size_t size, Verdict verdict) { return verdict == Verdict::kShort ? size - size / 2 : size; }

// The C library's function, which is hidden by this library's function of the same name.
template <class Function>
Function* next_definition(Function* /*its type*/, const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  static const auto real = next_definition(&::open, "open");
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return fails("open", path) ? -1 : real(path, flags, mode);
}

int openat(int folder, const char* path, int flags, ...) {
  static const auto real = next_definition(&::openat, "openat");
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return fails("openat", path_in(folder, path)) ? -1 : real(folder, path, flags, mode);
}

ssize_t write(int descriptor, const void* bytes, size_t size) {
  static const auto real = next_definition(&::write, "write");
  const auto verdict = Disk::instance().decide("write", path_of(descriptor));
  if (verdict == Verdict::kFails) return -1;
  return real(descriptor, bytes, taken(size, verdict));
}

ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t offset) {
  static const auto real = next_definition(&::pwrite, "pwrite");
  const auto verdict = Disk::instance().decide("pwrite", path_of(descriptor));
  if (verdict == Verdict::kFails) return -1;
  return real(descriptor, bytes, taken(size, verdict), offset);
}

ssize_t pread(int descriptor, void* bytes, size_t size, off_t offset) {
  static const auto real = next_definition(&::pread, "pread");
  const auto verdict = Disk::instance().decide("pread", path_of(descriptor));
  return verdict == Verdict::kFails ? -1 : real(descriptor, bytes, taken(size, verdict), offset);
}

int fsync(int descriptor) { return fails("fsync", path_of(descriptor)) ? -1 : 0; }
int fdatasync(int descriptor) { return fails("fdatasync", path_of(descriptor)) ? -1 : 0; }

int ftruncate(int descriptor, off_t size) noexcept {
  static const auto real = next_definition(&::ftruncate, "ftruncate");
  return fails("ftruncate", path_of(descriptor)) ? -1 : real(descriptor, size);
}

int fstat(int descriptor, struct stat* status) noexcept {
  static const auto real = next_definition(&::fstat, "fstat");
  return fails("fstat", path_of(descriptor)) ? -1 : real(descriptor, status);
}

int flock(int descriptor, int operation) noexcept {
  static const auto real = next_definition(&::flock, "flock");
  return fails("flock", path_of(descriptor)) ? -1 : real(descriptor, operation);
}

int fstatat(int folder, const char* path, struct stat* status, int flags) noexcept {
  static const auto real = next_definition(&::fstatat, "fstatat");
  return fails("fstatat", path_in(folder, path)) ? -1 : real(folder, path, status, flags);
}

int fchmod(int descriptor, mode_t mode) noexcept {
  static const auto real = next_definition(&::fchmod, "fchmod");
  return fails("fchmod", path_of(descriptor)) ? -1 : real(descriptor, mode);
}

// Recorded under the path that is replaced.
int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  static const auto real = next_definition(&::renameat, "renameat");
  return fails("renameat", path_in(to_folder, to)) ? -1 : real(from_folder, from, to_folder, to);
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  static const auto real = next_definition(&::unlinkat, "unlinkat");
  return fails("unlinkat", path_in(folder, path)) ? -1 : real(folder, path, flags);
}

int mkdirat(int folder, const char* path, mode_t mode) noexcept {
  static const auto real = next_definition(&::mkdirat, "mkdirat");
  return fails("mkdirat", path_in(folder, path)) ? -1 : real(folder, path, mode);
}

int rmdir(const char* path) noexcept {
  static const auto real = next_definition(&::rmdir, "rmdir");
  return fails("rmdir", path) ? -1 : real(path);
}

int mkdir(const char* path, mode_t mode) noexcept {
  static const auto real = next_definition(&::mkdir, "mkdir");
  return fails("mkdir", path) ? -1 : real(path, mode);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) noexcept {
  static const auto real = next_definition(&::pthread_create, "pthread_create");
  static const char* const after = std::getenv("WARPFIT_FAIL_THREADS_AFTER");
  static std::atomic<long> created = 0;
  if (after != nullptr && created++ >= std::atol(after)) return EAGAIN;
  return real(thread, attributes, start, argument);
}

struct dirent* readdir(DIR* folder) {
  static const auto real = next_definition(&::readdir, "readdir");
  return fails("readdir", path_of(dirfd(folder))) ? nullptr : real(folder);
}

}  // extern "C"
