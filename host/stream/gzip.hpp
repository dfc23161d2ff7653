// gzip (RFC 1952), decoded strictly: every member's CRC and length are checked, and no data may follow the
// last.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "host/files/file.hpp"

namespace warpfit {

/// Decodes a gzip file from its beginning.
class GzipReader {
 public:
  /// The file must outlive the reader.
  explicit GzipReader(const File& file);
  ~GzipReader();
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  /// Decodes the next bytes; returns fewer than requested only at the end of the data.
  /// Errors: DataError if the gzip data is damaged or truncated; IoError if the file cannot be read.
  std::size_t read(std::span<std::uint8_t> out);

  /// Upper bound of the size of this many deflate bytes after decoding (1032:1, plus a stored block).
  static std::uint64_t max_decoded_bytes(std::uint64_t encoded_bytes) { return encoded_bytes * 1032 + 65536; }

 private:
  struct State;
  bool refill();
  void finish_member();

  const File& file_;
  std::unique_ptr<State> state_;
};

}  // namespace warpfit
