// A text file that grows by whole rows, and that a resumed run goes on with where its checkpoint was.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/files/folder.hpp"

namespace warpfit {

class MetricsFile {
 public:
  /// Opens the file `name` of the folder. Keeps its first `keep` bytes, the rows up to the checkpoint, and
  /// drops the rest; with 0 the file begins again. If it does not have whole rows in that many bytes, it is
  /// renamed, the file begins again, and problem() says why: a run can go on without its earlier rows.
  /// Errors: IoError if it cannot be opened, is a link or has a second name, or is no regular file.
  MetricsFile(const Folder& folder, std::string_view name, std::uint64_t keep);
  ~MetricsFile();
  MetricsFile(const MetricsFile&) = delete;
  MetricsFile& operator=(const MetricsFile&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Why the rows up to the checkpoint are not in it; empty if they are.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  /// Bytes of its rows.
  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// Appends `row`, its newline included, in one piece. Errors: IoError; what was written of the row is taken
  /// back, so that the file ends with a whole one.
  void write(std::string_view row);

  /// Lets what was written survive a power cut; a checkpoint that counts on size() needs that. Errors:
  /// IoError.
  void flush() const;

 private:
  void cut_to_size() const;

  std::string path_;
  std::string problem_;
  std::uint64_t size_;
  int descriptor_ = -1;
};

}  // namespace warpfit
