// Protocol Buffers' wire format (see protobuf_writer.hpp), read strictly from a file of any size: every
// length is checked against the end of its message before it is used, and only a window of the file is in
// memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/files/file.hpp"

namespace warpfit {

/// A range of bytes in a file.
struct FileRange {
  std::uint64_t byte = 0, size = 0;
  [[nodiscard]] std::uint64_t end() const { return byte + size; }
};

struct ProtobufField {
  enum class Kind : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
  int number = 0;
  Kind kind = Kind::kVarint;
  std::uint64_t byte = 0;   ///< offset of the field in the file
  std::uint64_t value = 0;  ///< value of a varint
  FileRange content;        ///< contents of all other kinds
};

class ProtobufReader {
 public:
  /// The file must outlive the reader.
  explicit ProtobufReader(const File& file) : file_(file) {}

  /// Calls `visit` with each field of the message, in the file's order.
  /// Errors: ModelError naming file and byte if a field is truncated or invalid; IoError.
  template <class Visit>
  void for_each_field(FileRange message, const Visit& visit) {
    for (std::uint64_t byte = message.byte; byte < message.end();) visit(next_field(byte, message.end()));
  }

  /// Likewise for the varints of a packed field.
  template <class Visit>
  void for_each_varint(FileRange packed, const Visit& visit) {
    for (std::uint64_t byte = packed.byte; byte < packed.end();) {
      visit(static_cast<std::int64_t>(varint(byte, packed.end())));
    }
  }

  /// The value of a field. Errors: ModelError if the field is of another kind than requested; IoError.
  [[nodiscard]] std::int64_t integer(const ProtobufField& field) const;
  [[nodiscard]] FileRange message(const ProtobufField& field) const;
  /// A string of more than 4096 bytes is truncated, with a note of its length.
  [[nodiscard]] std::string text(const ProtobufField& field) const;

  [[noreturn]] void fail(std::uint64_t byte, std::string_view text) const;

 private:
  ProtobufField next_field(std::uint64_t& byte, std::uint64_t end);
  std::uint64_t varint(std::uint64_t& byte, std::uint64_t end);
  std::uint8_t byte_at(std::uint64_t byte);

  const File& file_;
  std::vector<std::uint8_t> window_;
  std::uint64_t window_byte_ = 0;  // offset of the window in the file
};

}  // namespace warpfit
