// A regular file opened for reading. Messages name it, and modifications during reading are detected.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <span>
#include <string>

#include "host/files/folder.hpp"

namespace warpfit {

class File {
 public:
  /// Errors: IoError if there is no such file, if it is a folder or a device, or if it may not be read.
  explicit File(const FileLocation& location);
  File(File&& other) noexcept;
  File& operator=(File&&) = delete;
  ~File();

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Size in bytes when the file was opened.
  [[nodiscard]] std::uint64_t size() const { return static_cast<std::uint64_t>(opened_.st_size); }

  /// Fills `out` from `offset` on. Errors: IoError if reading fails or the file has become shorter.
  void read(std::uint64_t offset, std::span<std::uint8_t> out) const;

  /// If these bytes are in the page cache, fills `out` and returns true. Otherwise starts to fetch them, for
  /// several requests to be pending at once, and returns false: call read() later, which reports all errors.
  [[nodiscard]] bool read_if_cached(std::uint64_t offset, std::span<std::uint8_t> out) const noexcept;

  /// Errors: IoError if the file was modified since it was opened; the message contains `byte`, the current
  /// position of reading.
  void check_unchanged(std::uint64_t byte) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  struct stat opened_ {};
};

}  // namespace warpfit
