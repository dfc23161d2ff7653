// A text file to which whole rows are appended. A resumed run continues it at the position stored in its
// checkpoint.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/files/folder.hpp"

namespace warpfit {

class MetricsFile {
 public:
  /// Opens the file `name` in the folder. Keeps its first `keep` bytes, which are the rows up to the
  /// checkpoint, and removes the rest; with 0 the file starts empty. If the file does not have whole rows in
  /// the first `keep` bytes, it is renamed, a new file is started, and problem() returns the reason: a run
  /// can be resumed without its earlier rows. Errors: IoError if the file cannot be opened, is a symbolic
  /// link, has several hard links, or is not a regular file.
  MetricsFile(const Folder& folder, std::string_view name, std::uint64_t keep);
  ~MetricsFile();
  MetricsFile(const MetricsFile&) = delete;
  MetricsFile& operator=(const MetricsFile&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  /// The reason why the rows up to the checkpoint are missing; empty if they are not.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  /// Size of its rows in bytes.
  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// Appends `row`, which ends with a newline. Errors: IoError; a partly written row is removed again, so
  /// that the file ends with a whole row.
  void write(std::string_view row);

  /// Flushes the rows to the disk, so that they survive a power failure. Required before size() is stored in
  /// a checkpoint. Errors: IoError.
  void flush() const;

 private:
  void cut_to_size() const;

  std::string path_;
  std::string problem_;
  std::uint64_t size_;
  int descriptor_ = -1;
};

}  // namespace warpfit
