#include "host/stream/idx_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "host/base/available_memory.hpp"
#include "host/base/big_endian.hpp"
#include "host/base/error.hpp"
#include "host/files/foreign_file.hpp"
#include "host/stream/gzip.hpp"

namespace warpfit {
namespace {

constexpr std::size_t kMagicSize = 4;
constexpr std::size_t kMaxDimensions = 255;
constexpr std::string_view kExpected = "an IDX file";

struct TypeInfo {
  IdxType type;
  int size;
  std::string_view name;
};
constexpr TypeInfo kTypes[] = {
    {IdxType::kUint8, 1, "unsigned bytes"},  {IdxType::kInt8, 1, "signed bytes"},
    {IdxType::kInt16, 2, "16-bit integers"}, {IdxType::kInt32, 4, "32-bit integers"},
    {IdxType::kFloat32, 4, "32-bit floats"}, {IdxType::kFloat64, 8, "64-bit floats"},
};

const TypeInfo* type_info(std::uint8_t type) {
  const auto* found = std::ranges::find(kTypes, static_cast<IdxType>(type), &TypeInfo::type);
  return found == std::end(kTypes) ? nullptr : found;
}

bool is_integer(IdxType type) { return type != IdxType::kFloat32 && type != IdxType::kFloat64; }

std::string_view expected_type(IdxElements elements) {
  return elements == IdxElements::kBytes      ? "0x08 (unsigned bytes)"
         : elements == IdxElements::kIntegers ? "labels of an integer type"
                                              : "0x08, 0x09 or 0x0b to 0x0e";
}

std::string allowed(int min_rank, int max_rank) {
  return min_rank == max_rank ? std::to_string(min_rank) : fmt::format("{} to {}", min_rank, max_rank);
}

std::int64_t swapped(std::int64_t dimension) {
  return __builtin_bswap32(static_cast<std::uint32_t>(dimension));
}

bool is_gzip(const File& file) {
  std::array<std::uint8_t, 2> start{};
  if (file.size() < start.size()) return false;
  file.read(0, start);
  return start[0] == 0x1F && start[1] == 0x8B;
}

bool is_idx(std::span<const std::uint8_t> start) {
  return start.size() > 1 && start[0] == 0 && start[1] == 0;
}

// For a truncated or empty file, such as an interrupted download leaves next to a complete one.
std::string gzip_hint(const std::string& path) {
  std::error_code error;
  const auto other = path + ".gz";
  if (!std::filesystem::exists(other, error)) return "";
  return fmt::format("; there is {} as well: remove the incomplete file to use that one", other);
}

// For decoded data that does not begin like an IDX file; decodes more to identify the format.
std::optional<ForeignFile> foreign_in_gzip(std::span<const std::uint8_t> start, GzipReader& gzip) {
  if (is_idx(start)) return std::nullopt;
  std::vector<std::uint8_t> bytes(kForeignBytes);
  std::ranges::copy(start, bytes.begin());
  bytes.resize(start.size() + gzip.read(std::span(bytes).subspan(start.size())));
  return recognize_foreign(bytes, FileUse::kData);
}

std::string describe_decoded(const std::string& path, const ForeignFile& found) {
  if (found.name == "gzip data") {
    return fmt::format("{}: was compressed with gzip twice, expected {}; decompress it once with gunzip",
                       path, kExpected);
  }
  return fmt::format("{}: the decompressed data is {}, expected {}; {}", path, found.name, kExpected,
                     found.advice);
}

std::vector<std::uint8_t> plain_start(const File& file) {
  std::vector<std::uint8_t> start(std::min<std::uint64_t>(file.size(), kMagicSize + 4 * kMaxDimensions));
  file.read(0, start);
  return start;
}

}  // namespace

std::string_view element_name(IdxType type) { return type_info(static_cast<std::uint8_t>(type))->name; }

IdxFile::IdxFile(IdxFile&&) noexcept = default;
IdxFile::~IdxFile() = default;

IdxFile::IdxFile(const std::string& path, int min_rank, int max_rank, IdxElements elements, Decode when)
    : file_(path) {
  if (file_.size() == 0)
    throw DataError(fmt::format("{}: is empty, expected {}{}", path, kExpected, gzip_hint(path)));
  if (is_gzip(file_)) {
    gzip_ = std::make_unique<GzipReader>(file_);
    std::vector<std::uint8_t> start(kMagicSize + 4 * static_cast<std::size_t>(max_rank));
    const auto magic_size = gzip_->read(std::span(start).first(kMagicSize));
    const std::size_t rank = std::min<std::size_t>(start[3], static_cast<std::size_t>(max_rank));
    const auto rest =
        magic_size < kMagicSize ? 0 : gzip_->read(std::span(start).subspan(kMagicSize, 4 * rank));
    start.resize(magic_size + rest);
    if (const auto found = foreign_in_gzip(start, *gzip_)) throw DataError(describe_decoded(path, *found));
    parse_header(start, min_rank, max_rank, elements);
    check_gzip_size();
    if (when == Decode::kNow) decode();
  } else {
    const auto start = plain_start(file_);
    if (!is_idx(start)) {
      if (const auto found = recognize_foreign(file_, FileUse::kData))
        throw DataError(describe_foreign(path, *found, kExpected));
    }
    parse_header(start, min_rank, max_rank, elements);
    check_plain_size();
  }
  file_.check_unchanged(file_.size());
}

void IdxFile::parse_header(std::span<const std::uint8_t> bytes, int min_rank, int max_rank,
                           IdxElements elements) {
  if (bytes.size() < kMagicSize) {
    throw DataError(fmt::format("{}: has {} bytes, expected an IDX header of at least 8{}", path(),
                                bytes.size(), gzip_hint(path())));
  }
  if (bytes[0] != 0 || bytes[1] != 0) {
    throw DataError(fmt::format(
        "{}: magic number {:02x}{:02x}{:02x}{:02x} at byte 0, expected 0000 and a type; this is not an IDX "
        "file",
        path(), bytes[0], bytes[1], bytes[2], bytes[3]));
  }
  parse_type(bytes[2], elements);
  const int rank = bytes[3];
  if (rank < min_rank || rank > max_rank) {
    throw DataError(fmt::format("{}: {} dimensions at byte 3, expected {}; are images and labels swapped?",
                                path(), rank, allowed(min_rank, max_rank)));
  }
  header_size_ = static_cast<std::int64_t>(kMagicSize) + 4 * rank;
  if (bytes.size() < static_cast<std::size_t>(header_size_)) {
    throw DataError(fmt::format("{}: ends at byte {}, inside its header of {} bytes{}", path(), bytes.size(),
                                header_size_, gzip_hint(path())));
  }
  parse_dimensions(bytes.subspan(kMagicSize, 4 * static_cast<std::size_t>(rank)));
}

void IdxFile::parse_type(std::uint8_t type, IdxElements elements) {
  const auto* info = type_info(type);
  if (info == nullptr) {
    throw DataError(fmt::format("{}: element type 0x{:02x} (an unknown type) at byte 2, expected {}", path(),
                                type, expected_type(elements)));
  }
  type_ = info->type;
  sample_size_ = info->size;
  check_elements(elements);
}

void IdxFile::check_elements(IdxElements elements) const {
  if (elements == IdxElements::kAny || type_ == IdxType::kUint8) return;
  if (elements == IdxElements::kIntegers && is_integer(type_)) return;
  throw DataError(
      fmt::format("{}: element type 0x{:02x} ({}) at byte 2, expected {}{}", path(), static_cast<int>(type_),
                  element_name(type_), expected_type(elements),
                  elements == IdxElements::kBytes ? "; tools/make_idx from-idx converts such images" : ""));
}

void IdxFile::parse_dimensions(std::span<const std::uint8_t> bytes) {
  // Larger files are refused, so that each partial product stays below 2^63 / 2^32.
  constexpr std::int64_t kMaxBytes = std::int64_t{1} << 47;
  for (std::size_t i = 0; i < bytes.size() / 4; ++i)
    dimensions_.push_back(big_endian(bytes.subspan(4 * i, 4)));
  std::int64_t size = sample_size_;
  for (std::size_t i = 0; i < dimensions_.size(); ++i) {
    const auto dimension = dimensions_[i];
    if (dimension == 0) {
      throw DataError(fmt::format("{}: dimension {} is 0 at byte {}; expected at least one {}", path(), i,
                                  kMagicSize + 4 * i, i == 0 ? "sample" : "element"));
    }
    if (size > kMaxBytes / dimension) {
      throw DataError(
          fmt::format("{}: dimensions {} from byte 4 on give more elements than any file can hold{}", path(),
                      fmt::join(dimensions_, "x"), size_hint(file_.size())));
    }
    size *= dimension;
    if (i > 0) sample_size_ *= dimension;
  }
}

// A hint for a header whose dimensions do not fit into `max_bytes` bytes: whether they would fit if they were
// little-endian.
std::string IdxFile::size_hint(std::uint64_t max_bytes) const {
  double size = type_info(static_cast<std::uint8_t>(type_))->size;
  for (const auto dimension : dimensions_) size *= static_cast<double>(swapped(dimension));
  if (size > 0 && size <= static_cast<double>(max_bytes)) {
    std::vector<std::int64_t> others(dimensions_.size());
    std::ranges::transform(dimensions_, others.begin(), swapped);
    return fmt::format(
        "; they seem to be little-endian: as such, they are {}; write the file in big-endian order",
        fmt::join(others, "x"));
  }
  return gzip_hint(path());
}

void IdxFile::check_plain_size() const {
  const auto expected = static_cast<std::uint64_t>(byte_of(count()));
  if (file_.size() == expected) return;
  const bool is_cut = file_.size() < expected;
  throw DataError(fmt::format("{}: has {} bytes, expected {} for its dimensions {}: {} at byte {}{}", path(),
                              file_.size(), expected, fmt::join(dimensions_, "x"),
                              is_cut ? "it is truncated" : "more data follows",
                              std::min(file_.size(), expected), is_cut ? size_hint(file_.size()) : ""));
}

// The file's size limits the sizes that the header may state.
void IdxFile::check_gzip_size() const {
  const auto expected = static_cast<std::uint64_t>(count() * sample_size_);
  if (expected <= GzipReader::max_decoded_bytes(file_.size())) return;
  throw DataError(
      fmt::format("{}: dimensions {} need {} bytes, more than {} bytes of gzip can hold: it is truncated{}",
                  path(), fmt::join(dimensions_, "x"), expected, file_.size(),
                  size_hint(GzipReader::max_decoded_bytes(file_.size()))));
}

// The header limits how much is decoded.
void IdxFile::decode() {
  if (!gzip_) return;
  const auto gzip = std::exchange(gzip_, nullptr);
  const auto expected = static_cast<std::uint64_t>(count() * sample_size_);
  if (const auto available = available_memory(); expected > available) {
    throw OutOfMemory(
        fmt::format("{}: dimensions {} need {} bytes of memory, but only {} are available; decompress "
                    "the file with gunzip, because uncompressed files are read in parts",
                    path(), fmt::join(dimensions_, "x"), expected, available));
  }
  decoded_ = std::make_unique_for_overwrite<std::uint8_t[]>(expected);  // untouched pages use no memory
  const std::size_t found = gzip->read({decoded_.get(), expected});
  if (found < expected) {
    throw DataError(fmt::format(
        "{}: its decompressed data is truncated at byte {}, expected {} bytes for its dimensions {}", path(),
        byte_of(0) + static_cast<std::int64_t>(found), byte_of(count()), fmt::join(dimensions_, "x")));
  }
  std::array<std::uint8_t, 1> beyond{};  // reading past the end verifies checksum and end
  if (gzip->read(beyond) > 0) {
    throw DataError(
        fmt::format("{}: its decompressed data continues at byte {}, expected it to end there according to "
                    "its dimensions {}",
                    path(), byte_of(count()), fmt::join(dimensions_, "x")));
  }
  file_.check_unchanged(file_.size());
}

void IdxFile::read(std::int64_t first, std::span<std::uint8_t> out) const {
  if (decoded_) {
    std::memcpy(out.data(), decoded_.get() + first * sample_size_, out.size());
    return;
  }
  file_.read(static_cast<std::uint64_t>(byte_of(first)), out);
}

// Samples that are not in the page cache are requested all at once before the first one is waited for: 1.8
// times as many samples per second as one after the other, from a file of 2 GB that was not cached.
void IdxFile::gather(std::span<const std::uint32_t> indices, std::span<std::uint8_t> out) const {
  const auto size = static_cast<std::size_t>(sample_size_);
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const auto sample = out.subspan(i * size, size);
    if (decoded_) {
      read(indices[i], sample);
    } else if (!file_.read_if_cached(static_cast<std::uint64_t>(byte_of(indices[i])), sample)) {
      missing.push_back(i);
    }
  }
  for (const auto i : missing) read(indices[i], out.subspan(i * size, size));
}

void IdxFile::check_unchanged(std::int64_t end) const {
  if (!decoded_)
    file_.check_unchanged(
        static_cast<std::uint64_t>(byte_of(end)));  // a gzip file was read completely when it was opened
}

}  // namespace warpfit
