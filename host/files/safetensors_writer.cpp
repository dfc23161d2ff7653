#include "host/files/safetensors_writer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>

#include "host/base/error.hpp"
#include "host/files/atomic_file.hpp"
#include "host/files/crc32.hpp"
#include "host/files/json.hpp"

namespace warpfit {
namespace {

using Header = SafetensorsHeader;

// Length and JSON, and the offset of the checksum's digits in them.
struct Start {
  std::string bytes;
  std::size_t checksum = 0;
};

std::string tensor_entry(const TensorView& tensor, std::uint64_t begin, const std::string& path) {
  return fmt::format(R"(,{}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
                     json_quoted(tensor.name, path), dtype_name(tensor.dtype), fmt::join(tensor.shape, ","),
                     begin, begin + tensor.data.size());
}

Start start_of(const Metadata& metadata, std::span<const TensorView> tensors, const std::string& path) {
  Start start{.bytes = std::string(Header::kLengthSize, '\0')};
  auto& bytes = start.bytes;
  bytes += fmt::format(R"({{"{}":{{)", Header::kMetadataKey);
  for (const auto& [key, value] : metadata) {
    if (key == Header::kChecksumKey) continue;
    bytes += fmt::format("{}:{},", json_quoted(key, path), json_quoted(value, path));
  }
  bytes += fmt::format(R"("{}":")", Header::kChecksumKey);
  start.checksum = bytes.size();
  bytes += fmt::format(R"({}"}})", Header::kNoChecksum);
  std::uint64_t begin = 0;
  for (const auto& tensor : tensors) {
    if (tensor.name == Header::kMetadataKey) {
      throw InternalError(fmt::format("{}: cannot write a tensor with the name '{}'", path, tensor.name));
    }
    bytes += tensor_entry(tensor, begin, path);
    begin += tensor.data.size();
  }
  bytes += '}';
  bytes.resize((bytes.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = bytes.size() - Header::kLengthSize;
  if (length > Header::kMaxBytes) {
    throw ModelError(fmt::format(
        "{}: cannot write a header of {} bytes, expected at most {}; write fewer tensors or less metadata",
        path, length, Header::kMaxBytes));
  }
  std::memcpy(bytes.data(), &length, sizeof(length));  // little-endian, as tensor.hpp requires
  return start;
}

}  // namespace

void write_safetensors(const FileLocation& location, const Metadata& metadata,
                       std::span<const TensorView> tensors) {
  const std::string& path = location.path;
  check_tensors(tensors, path);
  Start start = start_of(metadata, tensors, path);
  std::uint32_t sum = crc32_of(std::as_bytes(std::span(start.bytes)));
  for (const auto& tensor : tensors) sum = crc32_of(tensor.data, sum);
  start.bytes.replace(start.checksum, Header::kNoChecksum.size(), fmt::format("{:08x}", sum));

  AtomicFile file(location);
  file.write(start.bytes);
  for (const auto& tensor : tensors) file.write(tensor.data);
  file.commit();
}

}  // namespace warpfit
