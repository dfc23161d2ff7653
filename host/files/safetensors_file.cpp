#include "host/files/safetensors_file.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "host/base/error.hpp"
#include "host/files/crc32.hpp"
#include "host/files/foreign_file.hpp"

namespace warpfit {
namespace {

using Header = SafetensorsHeader;

std::span<std::uint8_t> as_numbers(std::span<std::byte> bytes) {
  return {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()};
}

// A flipped bit must not hide the checksum: after one in the key, its beginning or its end is still intact.
bool claims_checksum(const Metadata& metadata) {
  return std::ranges::any_of(metadata, [](const auto& entry) {
    return entry.first.starts_with("warpfit") || entry.first.ends_with(".crc32");
  });
}

}  // namespace

SafetensorsFile::SafetensorsFile(const FileLocation& location, Checksum checksum) : file_(location) {
  const std::string& path = file_.path();
  const std::string json = read_header();
  header_ = parse_safetensors_header(json, file_.size() - Header::kLengthSize - json.size(), path);
  if (!header_.checksum.empty()) {
    check_sum(json);
  } else if (checksum == Checksum::kRequired || claims_checksum(header_.metadata)) {
    throw ModelError(
        fmt::format("{}: no {} in its metadata (from byte 8 on), but every file written "
                    "by warpfit has one; it is damaged or was written by another program",
                    path, Header::kChecksumKey));
  }
  file_.check_unchanged(file_.size());
  by_name_.reserve(header_.tensors.size());
  for (const auto& tensor : header_.tensors) by_name_.emplace(tensor.name, &tensor);
}

std::string SafetensorsFile::read_header() const {
  if (file_.size() < Header::kLengthSize) {
    refuse_foreign();
    throw ModelError(
        fmt::format("{}: has {} bytes, but a safetensors file has at least 10", path(), file_.size()));
  }
  std::array<std::uint8_t, Header::kLengthSize> bytes{};
  file_.read(0, bytes);
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) length |= std::uint64_t{bytes[i]} << 8 * i;
  const auto rest = file_.size() - Header::kLengthSize;
  if (length > Header::kMaxBytes || length > rest) {
    refuse_foreign();
    throw ModelError(fmt::format(
        "{}: a header of {} bytes at byte 0, expected at most {}: it is truncated or not a safetensors file",
        path(), length, std::min(rest, Header::kMaxBytes)));
  }
  std::string json(length, '\0');
  file_.read(Header::kLengthSize, as_numbers(std::as_writable_bytes(std::span(json))));
  if (!json.starts_with('{')) {
    refuse_foreign();
    throw ModelError(fmt::format("{}: expected '{{' at byte 8, where a safetensors header begins", path()));
  }
  return json;
}

// Errors: ModelError if the file has another known format.
void SafetensorsFile::refuse_foreign() const {
  if (const auto found = recognize_foreign(file_, FileUse::kModel))
    throw ModelError(describe_foreign(path(), *found, "a safetensors file"));
}

void SafetensorsFile::check_sum(const std::string& json) const {
  std::vector<std::byte> block(Header::kLengthSize + json.size());
  std::uint64_t byte = 0;
  std::uint32_t sum = 0;
  while (byte < file_.size()) {
    if (byte > 0) block.resize(std::min<std::uint64_t>(1 << 20, file_.size() - byte));
    file_.read(byte, as_numbers(block));
    if (byte == 0)
      std::ranges::fill_n(block.begin() + static_cast<std::ptrdiff_t>(header_.checksum_byte), 8,
                          std::byte{'0'});
    sum = crc32_of(block, sum);
    byte += block.size();
  }
  if (fmt::format("{:08x}", sum) == header_.checksum) return;
  throw ModelError(fmt::format("{}: its checksum is {:08x}, expected the {} at byte {}: it is damaged",
                               path(), sum, header_.checksum, header_.checksum_byte));
}

const StoredTensor* SafetensorsFile::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

void SafetensorsFile::read(const StoredTensor& tensor, std::span<std::byte> out) const {
  if (out.size() != tensor.size) {
    throw InternalError(fmt::format("{}: reading tensor '{}' of {} bytes into {}", path(), tensor.name,
                                    tensor.size, out.size()));
  }
  read(tensor, 0, out);
}

void SafetensorsFile::read(const StoredTensor& tensor, std::uint64_t offset, std::span<std::byte> out) const {
  if (offset > tensor.size || out.size() > tensor.size - offset) {
    throw InternalError(fmt::format("{}: reading {} bytes from byte {} on of tensor '{}' of {} bytes", path(),
                                    out.size(), offset, tensor.name, tensor.size));
  }
  file_.read(tensor.byte + offset, as_numbers(out));
  file_.check_unchanged(tensor.byte + offset + out.size());
}

}  // namespace warpfit
