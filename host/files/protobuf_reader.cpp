#include "host/files/protobuf_reader.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

using Kind = ProtobufField::Kind;

constexpr std::uint64_t kWindow = 1 << 16;
constexpr std::uint64_t kMaxText = 4096;
constexpr std::uint64_t kMaxNumber = (1 << 29) - 1;  // largest field number

}  // namespace

void ProtobufReader::fail(std::uint64_t byte, std::string_view text) const {
  throw ModelError(fmt::format("{}: {} at byte {}", file_.path(), text, byte));
}

std::uint8_t ProtobufReader::byte_at(std::uint64_t byte) {
  if (byte < window_byte_ || byte >= window_byte_ + window_.size()) {
    window_.resize(std::min(kWindow, file_.size() - byte));
    file_.read(byte, window_);
    window_byte_ = byte;
  }
  return window_[byte - window_byte_];
}

// Seven bits per byte, the lowest ones first; ten bytes hold 64 bits.
std::uint64_t ProtobufReader::varint(std::uint64_t& byte, std::uint64_t end) {
  const auto begin = byte;
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (byte >= end)
      fail(begin, fmt::format("a number continues past the end of its message, byte {},", end));
    const std::uint64_t next = byte_at(byte++);
    if (shift == 63 && next > 1) break;
    value |= (next & 0x7F) << shift;
    if (next < 0x80) return value;
  }
  fail(begin, "a number of more than 64 bits");
}

ProtobufField ProtobufReader::next_field(std::uint64_t& byte, std::uint64_t end) {
  ProtobufField field;
  field.byte = byte;
  const auto tag = varint(byte, end);
  const auto number = tag >> 3;
  if (number == 0 || number > kMaxNumber) {
    fail(field.byte, fmt::format("field number {}, expected 1 to {},", number, kMaxNumber));
  }
  field.number = static_cast<int>(number);
  field.kind = static_cast<Kind>(tag & 7);
  std::uint64_t size = 0;
  switch (field.kind) {
    case Kind::kVarint:
      field.value = varint(byte, end);
      return field;
    case Kind::kFixed64:
      size = 8;
      break;
    case Kind::kBytes:
      size = varint(byte, end);
      break;
    case Kind::kFixed32:
      size = 4;
      break;
    default:
      fail(field.byte, fmt::format("field {} has wire type {}, expected 0, 1, 2 or 5,", number, tag & 7));
  }
  if (size > end - byte) {
    fail(field.byte, fmt::format("field {} of {} bytes, expected at most the {} that remain in its message,",
                                 number, size, end - byte));
  }
  field.content = {byte, size};
  byte += size;
  return field;
}

std::int64_t ProtobufReader::integer(const ProtobufField& field) const {
  if (field.kind != Kind::kVarint) fail(field.byte, fmt::format("field {} is not an integer", field.number));
  return static_cast<std::int64_t>(field.value);
}

FileRange ProtobufReader::message(const ProtobufField& field) const {
  if (field.kind != Kind::kBytes)
    fail(field.byte, fmt::format("field {} is not length-delimited", field.number));
  return field.content;
}

std::string ProtobufReader::text(const ProtobufField& field) const {
  const auto content = message(field);
  std::string text(std::min(content.size, kMaxText), '\0');
  file_.read(content.byte, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  if (text.size() < content.size) text += fmt::format("... ({} bytes)", content.size);
  return text;
}

}  // namespace warpfit
