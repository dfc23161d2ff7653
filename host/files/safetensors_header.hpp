// The header of a safetensors file (https://github.com/huggingface/safetensors): 8 bytes with the length of
// the JSON that follows, little-endian; the JSON; then the tensors' data. The JSON names type, shape and
// offsets of each tensor, and in `__metadata__` whatever text was put there.
//
// Ours hold `warpfit.crc32` there: eight hex digits, of the whole file with '0' instead of these digits.
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
  std::uint64_t byte = 0;  ///< of the file, where its data begins
  std::uint64_t size = 0;  ///< bytes of data
};

struct SafetensorsHeader {
  static constexpr std::uint64_t kLengthSize = 8;
  static constexpr std::uint64_t kMaxBytes = 100'000'000;  ///< as the format's own library has it
  static constexpr std::string_view kMetadataKey = "__metadata__";
  static constexpr std::string_view kChecksumKey = "warpfit.crc32";
  static constexpr std::string_view kNoChecksum = "00000000";

  Metadata metadata;                  ///< without the checksum
  std::vector<StoredTensor> tensors;  ///< in the order of their data
  std::string checksum;               ///< eight digits, or empty
  std::uint64_t checksum_byte = 0;    ///< of the file, where they begin
};

/// Reads the JSON of the file at `path`, after whose length and JSON `data_size` bytes of data follow.
/// Errors: ModelError naming file, tensor and byte, where it is not what the format says, or where tensors do
/// not cover the data, each byte once.
SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_size,
                                           const std::string& path);

}  // namespace warpfit
