// Protocol Buffers' wire format (https://protobuf.dev/programming-guides/encoding): each field is its number
// and kind, then a value, or a length and as many bytes.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace warpfit {

/// The bytes of one message; each call appends a field.
class ProtobufMessage {
 public:
  /// Appends an int64, int32 or enum.
  ProtobufMessage& integer(int field, std::int64_t value) {
    varint(tag(field, 0));
    varint(static_cast<std::uint64_t>(value));
    return *this;
  }

  /// Appends a float.
  ProtobufMessage& number(int field, float value) {
    varint(tag(field, 5));
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) bytes_ += static_cast<char>(bits >> shift & 0xFF);
    return *this;
  }

  /// Appends a string, bytes, or an embedded message.
  ProtobufMessage& bytes(int field, std::string_view value) {
    start_bytes(field, value.size());
    bytes_ += value;
    return *this;
  }
  ProtobufMessage& message(int field, const ProtobufMessage& value) { return bytes(field, value.bytes_); }

  /// Appends the tag and the length of such a field; `size` bytes must follow this message in the file.
  ProtobufMessage& start_bytes(int field, std::uint64_t size) {
    varint(tag(field, 2));
    varint(size);
    return *this;
  }

  [[nodiscard]] const std::string& text() const { return bytes_; }

 private:
  static std::uint64_t tag(int field, std::uint64_t kind) {
    return static_cast<std::uint64_t>(field) << 3 | kind;
  }

  // Seven bits per byte, the lowest ones first; the eighth bit says whether another byte follows.
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>((value & 0x7F) | 0x80);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

}  // namespace warpfit
