// The header of a safetensors file (https://github.com/huggingface/safetensors): the length of the JSON in 8
// little-endian bytes; the JSON; then the tensors' data. The JSON contains type, shape and offsets of each
// tensor, and in `__metadata__` any texts.
//
// Warpfit adds `warpfit.crc32`: eight hexadecimal digits, the CRC-32 of the whole file with '0' for these
// digits.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/files/tensor.hpp"

namespace warpfit {

using Metadata = std::map<std::string, std::string>;

/// A tensor in a file.
struct StoredTensor {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;
  std::uint64_t byte = 0;  ///< offset of its data in the file
  std::uint64_t size = 0;  ///< size of its data in bytes
};

struct SafetensorsHeader {
  static constexpr std::uint64_t kLengthSize = 8;
  static constexpr std::uint64_t kMaxBytes = 100'000'000;  ///< the limit of the safetensors library
  static constexpr std::string_view kMetadataKey = "__metadata__";
  static constexpr std::string_view kChecksumKey = "warpfit.crc32";
  static constexpr std::string_view kNoChecksum = "00000000";

  Metadata metadata;                  ///< without the checksum
  std::vector<StoredTensor> tensors;  ///< in the order of their data
  std::string checksum;               ///< eight digits; empty if there is none
  std::uint64_t checksum_byte = 0;    ///< offset of the digits in the file
};

/// Parses the JSON header of the file at `path`; `data_size` bytes of data follow it.
/// Errors: ModelError naming file, tensor and byte if the header does not conform to the format, or if the
/// tensors do not cover each byte of the data exactly once.
SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_size,
                                           const std::string& path);

}  // namespace warpfit
