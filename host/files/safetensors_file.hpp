// A safetensors file (see safetensors_header.hpp), read strictly: the whole header is checked when it is
// opened, and the checksum where it has one. What a tensor holds is read when it is asked for.
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

/// Which files must have the checksum that write_safetensors adds: those of PyTorch have none.
enum class Checksum { kIfPresent, kRequired };

class SafetensorsFile {
 public:
  /// Errors: IoError where it cannot be read; ModelError naming file, tensor and byte where it is damaged,
  /// cut, or no such file.
  explicit SafetensorsFile(const FileLocation& location, Checksum checksum = Checksum::kIfPresent);

  [[nodiscard]] const std::string& path() const { return file_.path(); }
  /// What it says of itself, without the checksum.
  [[nodiscard]] const Metadata& metadata() const { return header_.metadata; }
  /// Eight hex digits, found right; empty where it has none.
  [[nodiscard]] const std::string& checksum() const { return header_.checksum; }
  /// In the order of their data.
  [[nodiscard]] const std::vector<StoredTensor>& tensors() const { return header_.tensors; }
  /// The tensor of this name, or null.
  [[nodiscard]] const StoredTensor* find(std::string_view name) const;

  /// Fills `out`, of the tensor's size, with its data. Errors: IoError, also where the file was changed since
  /// it was opened.
  void read(const StoredTensor& tensor, std::span<std::byte> out) const;

  /// Fills `out` with its data from `offset` on, to read large tensors in pieces. Errors: as above.
  void read(const StoredTensor& tensor, std::uint64_t offset, std::span<std::byte> out) const;

 private:
  [[nodiscard]] std::string read_header() const;
  void refuse_foreign() const;
  void check_sum(const std::string& json) const;

  File file_;
  SafetensorsHeader header_;
  std::unordered_map<std::string_view, const StoredTensor*> by_name_;  // of header_, which is not changed
};

}  // namespace warpfit
