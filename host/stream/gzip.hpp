// gzip (RFC 1952), read strictly: every member's CRC and length checked, nothing allowed after the last.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "host/files/file.hpp"

namespace warpfit {

/// Decodes a gzip file from its start on.
class GzipReader {
 public:
  /// The file must outlive the reader.
  explicit GzipReader(const File& file);
  ~GzipReader();
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  /// Decodes the next bytes; less than asked for only at the end of the data.
  /// Errors: DataError where the gzip data is damaged or cut; IoError where the file cannot be read.
  std::size_t read(std::span<std::uint8_t> out);

  /// The most bytes that this many bytes of deflate can stand for (1032 to 1, and a stored block's slack).
  static std::uint64_t max_decoded_bytes(std::uint64_t encoded_bytes) { return encoded_bytes * 1032 + 65536; }

 private:
  struct State;
  bool refill();
  void finish_member();

  const File& file_;
  std::unique_ptr<State> state_;
};

}  // namespace warpfit
