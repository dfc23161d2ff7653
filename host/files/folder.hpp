// An open folder, and files named relative to it. A file accessed through an open folder is in that folder,
// even if the folder is moved or renamed meanwhile.
#pragma once

#include <fcntl.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace warpfit {

class Folder;

/// The location of a file: a path, or a name in an open folder.
struct FileLocation {
  FileLocation(const char* file) : FileLocation(std::string(file)) {}    // NOLINT: as a path is passed
  FileLocation(std::string file) : name(file), path(std::move(file)) {}  // NOLINT
  /// `in` must stay open while this object is used.
  FileLocation(const Folder& in, std::string_view file);

  int folder = AT_FDCWD;  ///< the folder's descriptor
  std::string name;       ///< relative to `folder`
  std::string path;       ///< for messages
};

class Folder {
 public:
  /// Opens the folder at `path`. Errors: IoError.
  explicit Folder(std::string path);
  /// Opens the folder `name` of `parent`. Errors: IoError, also if `name` is a link.
  Folder(const Folder& parent, std::string_view name);
  /// Takes over the descriptor of an open folder; `path` is for messages.
  Folder(int descriptor, std::string path) : path_(std::move(path)), descriptor_(descriptor) {}
  Folder(Folder&& other) noexcept;
  Folder& operator=(Folder&&) = delete;
  ~Folder();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int descriptor() const { return descriptor_; }

  /// Creates the folder `name`; returns false if the name already exists. Errors: IoError.
  bool make(std::string_view name) const;
  /// The names of all entries, in no particular order. Errors: IoError.
  [[nodiscard]] std::vector<std::string> names() const;
  /// Whether there is an entry with this name. Errors: IoError if that cannot be determined.
  [[nodiscard]] bool has(std::string_view name) const;
  /// Removes the file `name`. Errors: IoError.
  void remove(std::string_view name) const;
  /// Renames the file `name` to NAME.damaged, with a number appended if that name exists already; returns the
  /// new name. Errors: IoError.
  [[nodiscard]] std::string set_aside(std::string_view name) const;
  /// Flushes the folder to the disk, so that the names in it survive a power failure. Errors: IoError.
  void flush() const;

 private:
  [[nodiscard]] std::string path_of(std::string_view name) const;

  std::string path_;
  int descriptor_ = -1;
};

}  // namespace warpfit
