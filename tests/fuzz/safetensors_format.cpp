#include "tests/fuzz/safetensors_format.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "host/files/crc32.hpp"
#include "host/files/safetensors_header.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace warpfit::fuzz {
namespace {

using Header = SafetensorsHeader;

void mutate(Bytes& bytes, std::size_t max_size) {
  const auto size = bytes.size();
  bytes.resize(std::max(max_size, size));
  bytes.resize(LLVMFuzzerMutate(bytes.data(), size, bytes.size()));
}

// Replaces the digits of the metadata's checksum by the correct ones; a file without a checksum is unchanged.
void correct_checksum(Bytes& file) {
  const auto key = fmt::format("\"{}\":\"", Header::kChecksumKey);
  const auto found = text_of(file).find(key);
  const auto first = found + key.size();
  if (found == std::string_view::npos || file.size() - first < Header::kNoChecksum.size()) return;
  const auto digits = file.begin() + static_cast<std::ptrdiff_t>(first);
  std::ranges::copy(Header::kNoChecksum, digits);
  std::ranges::copy(fmt::format("{:08x}", crc32_of(std::as_bytes(std::span(file)))), digits);
}

}  // namespace

std::size_t mutate_safetensors(std::uint8_t* data, std::size_t size, std::size_t max_size,
                               unsigned int seed) {
  constexpr unsigned int kPlain = 8;  // one in this many mutations ignores the format
  if (size < Header::kLengthSize || max_size < 2 * Header::kLengthSize || seed % kPlain == 0) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  std::uint64_t length = 0;
  std::memcpy(&length, data, sizeof(length));
  const auto rest = std::span(data, size).subspan(Header::kLengthSize);
  const auto json_size = static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(length, rest.size()));
  Bytes json(rest.begin(), rest.begin() + json_size);
  Bytes values(rest.begin() + json_size, rest.end());
  const auto most = max_size - Header::kLengthSize;
  if (seed % 3 != 0) mutate(json, most);
  if (seed % 3 == 0 || seed % 5 == 0) mutate(values, most);
  Bytes file(Header::kLengthSize);
  length = json.size();
  std::memcpy(file.data(), &length, sizeof(length));
  using test::operator+;
  file = std::move(file) + json + values;
  file.resize(std::min(file.size(), max_size));
  correct_checksum(file);
  std::ranges::copy(file, data);
  return file.size();
}

std::vector<std::string> safetensors_words() {
  std::vector<std::string> all{"\"__metadata__\":{",
                               "\"dtype\":",
                               "\"shape\":[",
                               "\"data_offsets\":[",
                               "\"warpfit.crc32\":\"00000000\"",
                               "\"warpfit.network\":\"",
                               "\"warpfit.names\":\"",
                               "\"warpfit.output\":\"log_softmax\"",
                               "\"warpfit.sample_shape\":\"",
                               "\"warpfit.dropout\":\"",
                               "\"warpfit.data\":\"",
                               "\"warpfit.state.",
                               "linear_relu_stack.0.weight",
                               "linear_relu_stack.0.bias",
                               "optimizer.0.",
                               "\\u0000",
                               "\\ud800",
                               "9223372036854775807",
                               "18446744073709551615",
                               "1e308",
                               "nan",
                               "inf"};
  for (const auto* type : {"BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "U16", "I16", "F16", "BF16", "U32",
                           "I32", "F32", "U64", "I64", "F64", "C64"}) {
    all.push_back(fmt::format("\"{}\"", type));
  }
  return all;
}

}  // namespace warpfit::fuzz
