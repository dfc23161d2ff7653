// A regular file opened for reading, with messages that name it, and proof that nobody rewrote it meanwhile.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <span>
#include <string>

#include "host/files/folder.hpp"

namespace warpfit {

class File {
 public:
  /// Errors: IoError where there is no such file, it is a folder or a device, or may not be read.
  explicit File(const FileLocation& location);
  File(File&& other) noexcept;
  File& operator=(File&&) = delete;
  ~File();

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Bytes, as they were when it was opened.
  [[nodiscard]] std::uint64_t size() const { return static_cast<std::uint64_t>(opened_.st_size); }

  /// Fills `out` from `offset` on. Errors: IoError where the system fails, or the file got shorter.
  void read(std::uint64_t offset, std::span<std::uint8_t> out) const;

  /// Fills `out` where the system holds those bytes in memory. Otherwise it asks for them, so that they are
  /// fetched while others are asked for, and gives false: they are for read() then, as are all errors.
  [[nodiscard]] bool read_if_cached(std::uint64_t offset, std::span<std::uint8_t> out) const noexcept;

  /// Errors: IoError where the file was written to since it was opened; it names `byte`, where reading has
  /// got to.
  void check_unchanged(std::uint64_t byte) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  struct stat opened_ {};
};

}  // namespace warpfit
