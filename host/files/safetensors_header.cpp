#include "host/files/safetensors_header.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "host/base/error.hpp"
#include "host/base/shown.hpp"
#include "host/files/json.hpp"

namespace warpfit {
namespace {

class HeaderParser {
 public:
  HeaderParser(std::string_view json, std::uint64_t data_size, const std::string& path)
      : json_(json), data_size_(data_size), path_(path) {}

  SafetensorsHeader parse() {
    const Json root = parse_json(json_, path_, SafetensorsHeader::kLengthSize);
    const auto& members = get<Json::Object>(root, "the header", "an object");
    for (const auto& [name, member] : members) {
      if (name == SafetensorsHeader::kMetadataKey) {
        read_metadata(member);
      } else {
        read_tensor(name, member);
      }
    }
    check_cover();
    return std::move(header_);
  }

 private:
  [[noreturn]] void fail(std::uint64_t byte, std::string_view text) const {
    throw ModelError(fmt::format("{}: {} at byte {}", path_, text, byte));
  }

  template <class T>
  [[nodiscard]] const T& get(const Json& json, std::string_view what, std::string_view expected) const {
    if (const auto* value = std::get_if<T>(&json.value)) return *value;
    fail(json.byte, fmt::format("expected {} for {}", expected, what));
  }

  void read_metadata(const Json& json) {
    for (const auto& [key, value] : get<Json::Object>(json, "__metadata__", "an object of strings")) {
      const auto& text = get<std::string>(value, fmt::format("'{}' in __metadata__", shown(key)), "a string");
      if (key == SafetensorsHeader::kChecksumKey) {
        read_checksum(text, value.byte);
      } else {
        header_.metadata.emplace(key, text);
      }
    }
  }

  // The digits must be unescaped in the file: escaped ones would be at other offsets.
  void read_checksum(const std::string& digits, std::uint64_t byte) {
    const bool is_hex = digits.size() == SafetensorsHeader::kNoChecksum.size() &&
                        digits.find_first_not_of("0123456789abcdef") == digits.npos;
    const auto spelled = json_.substr(byte - SafetensorsHeader::kLengthSize + 1, digits.size());
    if (!is_hex || spelled != digits) fail(byte, "expected eight lower-case hex digits for warpfit.crc32");
    header_.checksum = digits;
    header_.checksum_byte = byte + 1;
  }

  void read_tensor(const std::string& name, const Json& json) {
    const auto what = fmt::format("tensor '{}'", shown(name));
    const auto& fields = get<Json::Object>(json, what, "an object");
    const auto field = [&](std::string_view key) -> const Json& {
      const auto found = fields.find(key);
      if (found == fields.end()) fail(json.byte, fmt::format("no {} in {}", key, what));
      return found->second;
    };
    StoredTensor tensor{.name = name, .dtype = DType::kF32, .shape = {}};
    tensor.dtype = dtype_in(field("dtype"), what);
    const auto size = read_shape(field("shape"), tensor, what);
    const auto& offsets = field("data_offsets");
    const auto [begin, end] = offsets_in(offsets, what);
    if (end - begin != size) {
      fail(offsets.byte,
           fmt::format("data_offsets of {} hold {} bytes, expected {} for {} elements of {},", what,
                       end - begin, size, fmt::join(tensor.shape, "x"), dtype_name(tensor.dtype)));
    }
    for (const auto& [key, value] : fields) {
      if (key != "dtype" && key != "shape" && key != "data_offsets") {
        fail(value.byte, fmt::format("unknown field '{}' in {}", shown(key), what));
      }
    }
    tensor.byte = data_begin() + begin;
    tensor.size = size;
    header_.tensors.push_back(std::move(tensor));
  }

  [[nodiscard]] DType dtype_in(const Json& json, const std::string& what) const {
    const auto& name = get<std::string>(json, "the dtype of " + what, "a string");
    const auto dtype = dtype_of(name);
    if (!dtype) fail(json.byte, fmt::format("unknown dtype '{}' of {}", shown(name), what));
    return *dtype;
  }

  [[nodiscard]] std::uint64_t read_shape(const Json& json, StoredTensor& tensor,
                                         const std::string& what) const {
    for (const auto& element : get<Json::Array>(json, "the shape of " + what, "an array")) {
      const auto dimension = get<std::int64_t>(element, "a dimension of " + what, "an integer");
      if (dimension < 0)
        fail(element.byte, fmt::format("dimension {} of {}, expected 0 or more,", dimension, what));
      tensor.shape.push_back(dimension);
    }
    const auto size = tensor_size(tensor.dtype, tensor.shape);
    if (!size) fail(json.byte, fmt::format("the shape of {} has more elements than any file can hold", what));
    return *size;
  }

  [[nodiscard]] std::array<std::uint64_t, 2> offsets_in(const Json& json, const std::string& what) const {
    const auto& pair = get<Json::Array>(json, "the data_offsets of " + what, "an array of two");
    if (pair.size() != 2)
      fail(json.byte, fmt::format("{} data_offsets of {}, expected two,", pair.size(), what));
    const auto begin = get<std::int64_t>(pair[0], "the first of data_offsets of " + what, "an integer");
    const auto end = get<std::int64_t>(pair[1], "the second of data_offsets of " + what, "an integer");
    if (begin < 0 || end < begin || static_cast<std::uint64_t>(end) > data_size_) {
      fail(json.byte,
           fmt::format("data_offsets {} to {} of {}, expected ascending offsets within the {} bytes of data,",
                       begin, end, what, data_size_));
    }
    return {static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(end)};
  }

  void check_cover() {
    const auto range = [](const StoredTensor& tensor) { return std::tuple(tensor.byte, tensor.size); };
    std::ranges::sort(header_.tensors, {}, range);
    std::uint64_t covered = data_begin();
    for (const auto& tensor : header_.tensors) {
      if (tensor.byte != covered) {
        fail(std::min(tensor.byte, covered),
             fmt::format("tensor '{}' begins at byte {}, expected {}, where the previous tensor ends: {}",
                         shown(tensor.name), tensor.byte, covered,
                         tensor.byte < covered ? "they overlap" : "there is a gap"));
      }
      covered = tensor.byte + tensor.size;
    }
    const auto end = data_begin() + data_size_;
    if (covered != end) {
      fail(covered,
           fmt::format("{} bytes of data belong to no tensor; expected the end of the file", end - covered));
    }
  }

  [[nodiscard]] std::uint64_t data_begin() const { return SafetensorsHeader::kLengthSize + json_.size(); }

  std::string_view json_;
  std::uint64_t data_size_;
  const std::string& path_;
  SafetensorsHeader header_;
};

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_size,
                                           const std::string& path) {
  return HeaderParser(json, data_size, path).parse();
}

}  // namespace warpfit
