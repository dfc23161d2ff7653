// Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
#include "host/files/onnx_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>
#include <limits>

#include "host/base/error.hpp"
#include "host/base/printable.hpp"

namespace warpfit {
namespace {

using Field = ProtobufField;

constexpr std::uint64_t kMaxBytes = std::numeric_limits<std::int32_t>::max();  // limit of a protobuf message
constexpr int kMaxParts = 1'000'000;

struct ElementType {
  std::string_view name;
  std::optional<DType> dtype{};
};

// TensorProto.DataType
constexpr ElementType kTypes[] = {
    {""},
    {"FLOAT", DType::kF32},
    {"UINT8", DType::kU8},
    {"INT8", DType::kI8},
    {"UINT16", DType::kU16},
    {"INT16", DType::kI16},
    {"INT32", DType::kI32},
    {"INT64", DType::kI64},
    {"STRING"},
    {"BOOL", DType::kBool},
    {"FLOAT16", DType::kF16},
    {"DOUBLE", DType::kF64},
    {"UINT32", DType::kU32},
    {"UINT64", DType::kU64},
    {"COMPLEX64", DType::kC64},
    {"COMPLEX128"},
    {"BFLOAT16", DType::kBF16},
    {"FLOAT8E4M3FN", DType::kF8E4M3},
    {"FLOAT8E4M3FNUZ"},
    {"FLOAT8E5M2", DType::kF8E5M2},
    {"FLOAT8E5M2FNUZ"},
    {"UINT4"},
    {"INT4"},
    {"FLOAT4E2M1"},
};

class OnnxParser {
 public:
  explicit OnnxParser(const File& file) : reader_(file), file_(file) {}

  OnnxModel parse() {
    if (file_.size() > kMaxBytes) {
      throw ModelError(fmt::format("{}: has {} bytes, expected at most the {} of a protobuf message",
                                   file_.path(), file_.size(), kMaxBytes));
    }
    reader_.for_each_field({0, file_.size()}, [this](const Field& field) { read_model_field(field); });
    if (model_.ir_version < 1) missing(0, "the IR version (field 1)");
    if (model_.operator_sets.empty()) missing(0, "an operator set (field 8)");
    if (!has_graph_) missing(0, "a graph (field 7)");
    return std::move(model_);
  }

 private:
  [[noreturn]] void missing(std::uint64_t byte, std::string_view what) const {
    reader_.fail(byte, fmt::format("expected {} in the message that begins", what));
  }

  // Limits the number of parts, since each needs more memory than its bytes in the file.
  void count_part(const Field& field) {
    if (++parts_ > kMaxParts) reader_.fail(field.byte, fmt::format("more than {} parts", kMaxParts));
  }

  void read_model_field(const Field& field) {
    switch (field.number) {
      case 1:
        model_.ir_version = reader_.integer(field);
        break;
      case 2:
        model_.producer = reader_.text(field);
        break;
      case 3:
        model_.producer_version = reader_.text(field);
        break;
      case 7:
        if (has_graph_) reader_.fail(field.byte, "a duplicate graph");
        has_graph_ = true;
        reader_.for_each_field(reader_.message(field), [this](const Field& part) { read_graph_field(part); });
        break;
      case 8:
        read_operator_set(field);
        break;
      case 14:
        read_metadata(field);
        break;
      default:
        break;
    }
  }

  void read_operator_set(const Field& field) {
    count_part(field);
    auto& [domain, version] = model_.operator_sets.emplace_back();
    reader_.for_each_field(reader_.message(field),
                           [&, &domain = domain, &version = version](const Field& part) {
                             if (part.number == 1) domain = reader_.text(part);
                             if (part.number == 2) version = reader_.integer(part);
                           });
    if (version < 1) missing(field.byte, "a version above 0 (field 2)");
  }

  void read_metadata(const Field& field) {
    count_part(field);
    auto& [key, value] = model_.metadata.emplace_back();
    reader_.for_each_field(reader_.message(field), [&, &key = key, &value = value](const Field& part) {
      if (part.number == 1) key = reader_.text(part);
      if (part.number == 2) value = reader_.text(part);
    });
    if (key.empty()) missing(field.byte, "a key (field 1)");
  }

  void read_graph_field(const Field& field) {
    switch (field.number) {
      case 1:
        read_node(field);
        break;
      case 2:
        model_.graph = reader_.text(field);
        break;
      case 5:
        read_initializer(field);
        break;
      case 11:
        model_.inputs.push_back(value_in(field));
        break;
      case 12:
        model_.outputs.push_back(value_in(field));
        break;
      default:
        break;
    }
  }

  void read_node(const Field& field) {
    count_part(field);
    std::string type;
    reader_.for_each_field(reader_.message(field), [&](const Field& part) {
      if (part.number == 4) type = reader_.text(part);
    });
    if (type.empty()) missing(field.byte, "an operator (field 4)");
    model_.operators.push_back(std::move(type));
  }

  [[nodiscard]] const ElementType& type_in(const Field& field) const {
    const auto type = reader_.integer(field);
    if (type < 1 || static_cast<std::uint64_t>(type) >= std::size(kTypes)) {
      reader_.fail(field.byte,
                   fmt::format("element type {}, expected 1 to {},", type, std::size(kTypes) - 1));
    }
    return kTypes[type];
  }

  OnnxModel::Value value_in(const Field& field) {
    count_part(field);
    OnnxModel::Value value;
    reader_.for_each_field(reader_.message(field), [&](const Field& part) {
      if (part.number == 1) value.name = reader_.text(part);
      if (part.number != 2) return;
      reader_.for_each_field(reader_.message(part), [&](const Field& type) {
        if (type.number == 1) read_tensor_type(reader_.message(type), value);
      });
    });
    if (value.name.empty()) missing(field.byte, "a name (field 1)");
    return value;
  }

  void read_tensor_type(FileRange message, OnnxModel::Value& value) {
    reader_.for_each_field(message, [&](const Field& part) {
      if (part.number == 1) value.type = type_in(part).name;
      if (part.number != 2) return;
      reader_.for_each_field(reader_.message(part), [&](const Field& dimension) {
        if (dimension.number != 1) return;
        count_part(dimension);
        auto& text = value.shape.emplace_back("?");
        reader_.for_each_field(reader_.message(dimension), [&](const Field& size) {
          if (size.number == 1) text = std::to_string(reader_.integer(size));
          if (size.number == 2) text = reader_.text(size);
        });
      });
    });
  }

  // Dimensions are stored as separate fields or, packed, as one field of varints.
  void read_dimensions(const Field& field, std::vector<std::int64_t>& shape) {
    const auto add = [&](std::int64_t dimension) {
      count_part(field);
      if (dimension < 0)
        reader_.fail(field.byte, fmt::format("dimension {}, expected 0 or more,", dimension));
      shape.push_back(dimension);
    };
    if (field.kind == Field::Kind::kVarint) return add(reader_.integer(field));
    reader_.for_each_varint(reader_.message(field), add);
  }

  void read_initializer(const Field& field) {
    count_part(field);
    OnnxModel::Initializer tensor;
    std::optional<FileRange> raw, floats, doubles;
    bool elsewhere = false;  // stored as varints or strings, or in another file
    reader_.for_each_field(reader_.message(field), [&](const Field& part) {
      switch (part.number) {
        case 1:
          read_dimensions(part, tensor.shape);
          break;
        case 2:
          tensor.type = type_in(part).name;
          tensor.dtype = type_in(part).dtype;
          break;
        case 4:
          floats = reader_.message(part);
          break;
        case 8:
          tensor.name = reader_.text(part);
          break;
        case 9:
          raw = reader_.message(part);
          break;
        case 10:
          doubles = reader_.message(part);
          break;
        case 5:   // int32_data
        case 6:   // string_data
        case 7:   // int64_data
        case 11:  // uint64_data
        case 13:  // external_data
          elsewhere = true;
          break;
        default:
          break;
      }
    });
    if (tensor.type.empty()) missing(field.byte, "an element type (field 2)");
    if (!raw && tensor.dtype == DType::kF32) raw = floats;
    if (!raw && tensor.dtype == DType::kF64) raw = doubles;
    tensor.data = raw;
    elsewhere = elsewhere || floats || doubles;  // real and imaginary parts of complex numbers
    check_size(field, tensor, elsewhere);
    model_.initializers.push_back(std::move(tensor));
  }

  void check_size(const Field& field, OnnxModel::Initializer& tensor, bool elsewhere) const {
    if (!tensor.dtype) return;
    const auto size = tensor_size(*tensor.dtype, tensor.shape);
    if (!size) reader_.fail(field.byte, "a shape with more elements than any file can hold");
    if (!tensor.data && elsewhere) return;
    if (!tensor.data && *size == 0) tensor.data = FileRange{field.byte, 0};
    const auto found = tensor.data ? tensor.data->size : 0;
    if (found == *size) return;
    reader_.fail(field.byte,
                 fmt::format("{} bytes of data for '{}', expected {} for {} elements of {},", found,
                             printable(tensor.name), *size, fmt::join(tensor.shape, "x"), tensor.type));
  }

  ProtobufReader reader_;
  const File& file_;
  OnnxModel model_;
  bool has_graph_ = false;
  int parts_ = 0;
};

}  // namespace

OnnxFile::OnnxFile(const std::string& path) : file_(path), model_(OnnxParser(file_).parse()) {
  file_.check_unchanged(file_.size());
}

void OnnxFile::read(std::uint64_t byte, std::span<std::byte> out) const {
  file_.read(byte, {reinterpret_cast<std::uint8_t*>(out.data()), out.size()});
  file_.check_unchanged(byte + out.size());
}

}  // namespace warpfit
