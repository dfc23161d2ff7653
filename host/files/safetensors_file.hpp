// A safetensors file (see safetensors_header.hpp), read strictly: the whole header and, if there is one, the
// checksum are checked when the file is opened. A tensor's data is read on request.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "host/files/file.hpp"
#include "host/files/safetensors_header.hpp"

namespace warpfit {

/// Which files must have the checksum that write_safetensors() adds: PyTorch's files have none.
enum class Checksum { kIfPresent, kRequired };

class SafetensorsFile {
 public:
  /// Errors: IoError if the file cannot be read; ModelError naming file, tensor and byte if it is damaged,
  /// truncated, or not a safetensors file.
  explicit SafetensorsFile(const FileLocation& location, Checksum checksum = Checksum::kIfPresent);

  [[nodiscard]] const std::string& path() const { return file_.path(); }
  /// The file's metadata, without the checksum.
  [[nodiscard]] const Metadata& metadata() const { return header_.metadata; }
  /// Eight hexadecimal digits, which have been verified; empty if the file has no checksum.
  [[nodiscard]] const std::string& checksum() const { return header_.checksum; }
  /// The tensors, in the order of their data.
  [[nodiscard]] const std::vector<StoredTensor>& tensors() const { return header_.tensors; }
  /// The tensor with this name, or null.
  [[nodiscard]] const StoredTensor* find(std::string_view name) const;

  /// Fills `out`, which has the tensor's size, with its data. Errors: IoError, also if the file was modified
  /// since it was opened.
  void read(const StoredTensor& tensor, std::span<std::byte> out) const;

  /// Fills `out` with its data from `offset` on, to read a large tensor in pieces. Errors: as above.
  void read(const StoredTensor& tensor, std::uint64_t offset, std::span<std::byte> out) const;

 private:
  [[nodiscard]] std::string read_header() const;
  void refuse_foreign() const;
  void check_sum(const std::string& json) const;

  File file_;
  SafetensorsHeader header_;
  std::unordered_map<std::string_view, const StoredTensor*> by_name_;  // refers to header_
};

}  // namespace warpfit
