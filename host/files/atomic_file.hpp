// A file that is replaced completely or not at all: it is written under a temporary name in the same folder,
// flushed to the disk, and renamed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "host/files/folder.hpp"

namespace warpfit {

class AtomicFile {
 public:
  /// Creates a temporary file with a unique name. If a file is replaced, the new one gets its permissions. A
  /// symbolic link is replaced, not followed.
  /// Errors: IoError if that fails; if there is anything other than a regular file; or if the folder or a
  /// link leads into /dev, /proc or /sys.
  explicit AtomicFile(const FileLocation& location);
  /// Removes the temporary file unless commit() or discard() was called; the file at the location is then
  /// unchanged.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Appends. Errors: IoError; after an error, neither write() nor commit() may be called.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  /// Renames the temporary file to path(), so that it survives a power failure. Must be called at most once,
  /// at the end. Errors: IoError.
  void commit();

  /// Removes the temporary file. Errors: IoError.
  void discard();

 private:
  void create_temporary();
  [[nodiscard]] std::string action(std::string_view verb) const;

  std::string path_;
  std::string name_;
  Folder folder_;
  std::string temporary_;  // file name in the folder
  int descriptor_ = -1;    // -1 after commit()
  std::uint64_t written_ = 0;
};

/// Checks that a file can be written there, without changing anything. Errors: those of AtomicFile.
void check_writable(const FileLocation& location);

/// Whether it is the name of an AtomicFile's temporary file, which remains if the process is killed.
bool is_temporary_name(std::string_view name);

}  // namespace warpfit
