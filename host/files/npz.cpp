#include "host/files/npz.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <type_traits>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/shown.hpp"
#include "host/files/atomic_file.hpp"
#include "host/files/crc32.hpp"
#include "host/files/json.hpp"

namespace warpfit {
namespace {

constexpr std::uint16_t kZipVersion = 20;  // 2.0: the basic format
constexpr std::uint16_t kUtf8Names = 1 << 11;
constexpr std::uint16_t kStored = 0;
constexpr std::uint32_t kFirstOf1980 =
    1 << 21 | 1 << 16;  // earliest date in zip: the same tensors always give the same bytes
constexpr std::uint64_t kMaxBytes =
    std::numeric_limits<std::uint32_t>::max() - 1;  // the largest value indicates zip64
constexpr std::size_t kMaxEntries = std::numeric_limits<std::uint16_t>::max() - 1;

template <class T>
void put(std::string& bytes, std::type_identity_t<T> number) {
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes += static_cast<char>(number >> 8 * i & 0xFF);
}

// A file in the zip: the header before its data, and the fields that the central directory repeats.
struct Entry {
  std::string name;
  std::string npy_header;
  std::span<const std::byte> data;

  [[nodiscard]] std::uint64_t size() const { return npy_header.size() + data.size(); }

  [[nodiscard]] std::string fields() const {
    const auto sum = crc32_of(data, crc32_of(std::as_bytes(std::span(npy_header))));
    std::string bytes;
    put<std::uint16_t>(bytes, kZipVersion);
    put<std::uint16_t>(bytes, kUtf8Names);
    put<std::uint16_t>(bytes, kStored);
    put<std::uint32_t>(bytes, kFirstOf1980);
    put<std::uint32_t>(bytes, sum);
    put<std::uint32_t>(bytes, static_cast<std::uint32_t>(size()));  // compressed size
    put<std::uint32_t>(bytes, static_cast<std::uint32_t>(size()));
    put<std::uint16_t>(bytes, static_cast<std::uint16_t>(name.size()));
    put<std::uint16_t>(bytes, 0);  // extra fields
    return bytes;
  }
};

// The .npy header, version 1.0, padded as by NumPy: the data starts at a multiple of 64 bytes.
std::string npy_header(const TensorView& tensor) {
  constexpr std::size_t kAlignment = 64;
  constexpr std::string_view kMagic("\x93NUMPY\x01\x00", 8);
  const auto* const comma = tensor.shape.size() == 1 ? "," : "";  // tuple with one element
  auto text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}",
                          numpy_name(tensor.dtype), fmt::join(tensor.shape, ", "), comma);
  const auto used = kMagic.size() + sizeof(std::uint16_t) + text.size() + 1;
  text.append(kAlignment - used % kAlignment, ' ');
  text += '\n';
  std::string bytes(kMagic);
  put<std::uint16_t>(bytes, static_cast<std::uint16_t>(text.size()));
  return bytes + text;
}

bool is_safe(const std::string& name) {
  const bool is_control =
      std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) < ' '; });
  constexpr std::size_t kLongest = 255 - 4;  // with ".npy", as a file name
  return !name.empty() && name.size() <= kLongest && name[0] != '/' && name.find('\\') == name.npos &&
         name.find("..") == name.npos && !is_control;
}

std::vector<Entry> entries_of(std::span<const TensorView> tensors, const std::string& path) {
  constexpr std::size_t kMaxDimensions = 32;  // NumPy's limit
  std::vector<Entry> entries;
  for (const auto& tensor : tensors) {
    if (numpy_name(tensor.dtype).empty() || tensor.shape.size() > kMaxDimensions) {
      throw ModelError(fmt::format(
          "{}: cannot write tensor '{}' with {} dimensions of type {}, which NumPy does not support; "
          "write safetensors instead",
          path, shown(tensor.name), tensor.shape.size(), dtype_name(tensor.dtype)));
    }
    if (!is_safe(tensor.name)) {
      throw ModelError(fmt::format("{}: cannot write tensor '{}', whose name is not a valid file name", path,
                                   shown(tensor.name)));
    }
    check_text(tensor.name, path);
    entries.push_back({tensor.name + ".npy", npy_header(tensor), tensor.data});
  }
  return entries;
}

// Sizes without names; each name occurs twice in the zip: before its entry and in the central directory.
constexpr std::uint64_t kLocalSize = 30;
constexpr std::uint64_t kCentralSize = 46;
constexpr std::uint64_t kEndSize = 22;

void check_size(std::span<const Entry> entries, const std::string& path) {
  std::uint64_t size = kEndSize;
  for (const auto& entry : entries) size += kLocalSize + kCentralSize + 2 * entry.name.size() + entry.size();
  if (size <= kMaxBytes && entries.size() <= kMaxEntries) return;
  throw ModelError(
      fmt::format("{}: cannot write {} tensors in {} bytes, expected at most {} in {} for .npz; write "
                  "safetensors instead",
                  path, entries.size(), size, kMaxEntries, kMaxBytes));
}

}  // namespace

void write_npz(const std::string& path, std::span<const TensorView> tensors) {
  check_tensors(tensors, path);
  const auto entries = entries_of(tensors, path);
  check_size(entries, path);

  AtomicFile file(path);
  std::string directory;
  std::uint32_t offset = 0;
  for (const auto& entry : entries) {
    const auto fields = entry.fields();
    file.write("PK\x03\x04" + fields + entry.name + entry.npy_header);
    file.write(entry.data);

    directory += "PK\x01\x02";
    put<std::uint16_t>(directory, kZipVersion);
    directory += fields;
    put<std::uint16_t>(directory, 0);  // comment
    put<std::uint16_t>(directory, 0);  // disk
    put<std::uint16_t>(directory, 0);  // internal attributes
    put<std::uint32_t>(directory, 0);  // external attributes
    put<std::uint32_t>(directory, offset);
    directory += entry.name;
    offset += static_cast<std::uint32_t>(kLocalSize + entry.name.size() + entry.size());
  }
  std::string end = "PK\x05\x06";
  put<std::uint32_t>(end, 0);  // disks
  put<std::uint16_t>(end, static_cast<std::uint16_t>(entries.size()));
  put<std::uint16_t>(end, static_cast<std::uint16_t>(entries.size()));
  put<std::uint32_t>(end, static_cast<std::uint32_t>(directory.size()));
  put<std::uint32_t>(end, offset);
  put<std::uint16_t>(end, 0);  // comment
  file.write(directory + end);
  file.commit();
}

}  // namespace warpfit
