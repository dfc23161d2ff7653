// An open folder, and files named relative to it. What is reached through an open folder stays within it,
// even if somebody moves or renames it meanwhile.
#pragma once

#include <fcntl.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace warpfit {

class Folder;

/// Where a file is: a path, or a name in an open folder.
struct FileLocation {
  FileLocation(const char* file) : FileLocation(std::string(file)) {}    // NOLINT: as a path is passed
  FileLocation(std::string file) : name(file), path(std::move(file)) {}  // NOLINT
  /// `in` must stay open as long as this is used.
  FileLocation(const Folder& in, std::string_view file);

  int folder = AT_FDCWD;  ///< its descriptor
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

  /// Makes the folder `name`; false if there is something of this name already. Errors: IoError.
  bool make(std::string_view name) const;
  /// The names of all that is in it, in no order. Errors: IoError.
  [[nodiscard]] std::vector<std::string> names() const;
  /// Whether there is anything of this name. Errors: IoError if that cannot be determined.
  [[nodiscard]] bool has(std::string_view name) const;
  /// Removes the file `name`. Errors: IoError.
  void remove(std::string_view name) const;
  /// Renames the file `name` to NAME.damaged, or with a number after it if there is one already; gives the
  /// new name. Errors: IoError.
  [[nodiscard]] std::string set_aside(std::string_view name) const;
  /// Lets the names in it survive a power cut. Errors: IoError.
  void flush() const;

 private:
  [[nodiscard]] std::string path_of(std::string_view name) const;

  std::string path_;
  int descriptor_ = -1;
};

}  // namespace warpfit
