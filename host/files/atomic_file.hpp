// A file that is replaced whole or not at all: it is written beside its place as PATH.tmp, flushed to the
// disk, and renamed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace warpfit {

class AtomicFile {
 public:
  /// Opens PATH.tmp anew; what a killed run left there goes. A link at PATH will be replaced, not followed.
  /// Errors: IoError where that fails, or where PATH is there but no regular file.
  explicit AtomicFile(std::string path);
  /// Removes PATH.tmp where commit() was not reached: PATH is then as it was.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Appends. Errors: IoError; nothing may be written or committed behind one.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  /// Makes what was written the file at PATH, to survive a power cut. Call it once, at the end.
  /// Errors: IoError.
  void commit();

 private:
  [[nodiscard]] bool is_still_there() const noexcept;

  std::string path_;
  std::string temporary_;
  int descriptor_ = -1;  // -1 once it is committed
  std::uint64_t written_ = 0;
};

}  // namespace warpfit
