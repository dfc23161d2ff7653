// A file that is replaced whole or not at all: it is written under a temporary name in its folder, flushed to
// the disk, and renamed.
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
  /// Opens a temporary file, which has a name that no other file has. A file that is replaced hands on its
  /// permissions. A link is replaced, not followed.
  /// Errors: IoError if that fails; if there is anything but a regular file; or if the folder or a link leads
  /// into /dev, /proc or /sys.
  explicit AtomicFile(const FileLocation& location);
  /// Removes the temporary file if neither commit() nor discard() was reached: what was at the location is
  /// then unchanged.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Appends. Errors: IoError; after one nothing may be written or committed.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  /// Renames the temporary file to path(), so that it survives a power cut. Call it once, at the end.
  /// Errors: IoError.
  void commit();

  /// Removes the temporary file. Errors: IoError.
  void discard();

 private:
  void create_temporary();
  [[nodiscard]] std::string action(std::string_view verb) const;

  std::string path_;
  std::string name_;
  Folder folder_;
  std::string temporary_;  // name in the folder
  int descriptor_ = -1;    // -1 once it is committed
  std::uint64_t written_ = 0;
};

/// Proves that a file can be written there, and leaves all as it was. Errors: those of AtomicFile.
void check_writable(const FileLocation& location);

/// Whether it is the name of an AtomicFile's temporary file, which a killed process has left.
bool is_temporary_name(std::string_view name);

}  // namespace warpfit
