// Decodes messages of Protocol Buffers (https://protobuf.dev/programming-guides/encoding).
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace warpfit::test {

/// A decoded message: its fields in the order of the file. It refers to the bytes.
class Fields {
 public:
  explicit Fields(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto tag = varint(bytes);
      if ((tag & 7) == 5) {  // a float
        fields_.push_back({static_cast<int>(tag >> 3), 0, bytes.substr(0, 4)});
        bytes.remove_prefix(4);
        continue;
      }
      Field field{static_cast<int>(tag >> 3), varint(bytes), {}};
      if ((tag & 7) == 2) {
        if (field.number > bytes.size()) throw std::runtime_error("a field is cut");
        field.text = bytes.substr(0, field.number);
        bytes.remove_prefix(field.number);
      } else if ((tag & 7) != 0) {
        throw std::runtime_error("a kind that is not expected");
      }
      fields_.push_back(field);
    }
  }

  [[nodiscard]] std::vector<std::string> texts(int field) const {
    std::vector<std::string> found;
    for (const auto& each : fields_) {
      if (each.field == field) found.emplace_back(each.text);
    }
    return found;
  }
  [[nodiscard]] std::vector<std::uint64_t> numbers(int field) const {
    std::vector<std::uint64_t> found;
    for (const auto& each : fields_) {
      if (each.field == field) found.push_back(each.number);
    }
    return found;
  }
  [[nodiscard]] std::string text(int field) const { return texts(field).at(0); }
  [[nodiscard]] Fields message(int field) const { return Fields(fields_.at(index(field)).text); }
  [[nodiscard]] std::vector<Fields> messages(int field) const {
    std::vector<Fields> found;
    for (const auto& each : fields_) {
      if (each.field == field) found.emplace_back(each.text);
    }
    return found;
  }

 private:
  struct Field {
    int field;
    std::uint64_t number;
    std::string_view text;
  };

  static std::uint64_t varint(std::string_view& bytes) {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes.at(0));
      bytes.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return value;
    }
    throw std::runtime_error("a number without end");
  }

  [[nodiscard]] std::size_t index(int field) const {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      if (fields_[i].field == field) return i;
    }
    throw std::runtime_error("no field " + std::to_string(field));
  }

  std::vector<Field> fields_;
};

}  // namespace warpfit::test
