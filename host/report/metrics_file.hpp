// A text file that grows by whole rows, and that a resumed run goes on with where its checkpoint was.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace warpfit {

class MetricsFile {
 public:
  /// Keeps the first `keep` bytes of what is there, the rows up to the checkpoint, and drops the rest; with 0
  /// the file is begun anew. Errors: IoError where the file cannot be opened, is no regular file, or does not
  /// have whole rows in that many bytes; it is then as it was.
  MetricsFile(std::string path, std::uint64_t keep);
  ~MetricsFile();
  MetricsFile(const MetricsFile&) = delete;
  MetricsFile& operator=(const MetricsFile&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
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
  std::uint64_t size_;
  int descriptor_ = -1;
};

}  // namespace warpfit
