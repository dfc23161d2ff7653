// An ONNX model (see onnx.hpp) of any writer, read strictly as far as it is looked at: what the model says of
// itself, its operators, and its weights. Fields of other kinds are skipped. What a weight holds is read when
// it is asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host/files/file.hpp"
#include "host/files/protobuf_reader.hpp"
#include "host/files/tensor.hpp"

namespace warpfit {

/// Texts of more than 4096 bytes are cut.
struct OnnxModel {
  /// An input or output.
  struct Value {
    std::string name;
    std::string type;                ///< as ONNX spells it: "FLOAT"; empty where it is no tensor
    std::vector<std::string> shape;  ///< numbers, names as "batch", or "?"
  };

  /// A weight.
  struct Initializer {
    std::string name;
    std::string type;            ///< as ONNX spells it
    std::optional<DType> dtype;  ///< nothing where safetensors has no such type
    std::vector<std::int64_t> shape;
    /// Where its elements lie as they do in memory; nothing where they are in another file or spelled as
    /// varints.
    std::optional<FileRange> data;
  };

  std::int64_t ir_version = 0;
  std::string producer, producer_version;
  std::vector<std::pair<std::string, std::int64_t>> operator_sets;  ///< domain ("" is ONNX's own), version
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string graph;                   ///< its name
  std::vector<std::string> operators;  ///< the type of each node, in order
  std::vector<Value> inputs, outputs;
  std::vector<Initializer> initializers;
};

class OnnxFile {
 public:
  /// Errors: IoError where it cannot be read; ModelError naming file and byte where it is damaged, cut, no
  /// such file, or of more than a million parts.
  explicit OnnxFile(const std::string& path);

  [[nodiscard]] const std::string& path() const { return file_.path(); }
  [[nodiscard]] std::uint64_t size() const { return file_.size(); }
  [[nodiscard]] const OnnxModel& model() const { return model_; }

  /// Fills `out` with what the file has from `byte` on. Errors: IoError, also where the file was changed
  /// since it was opened.
  void read(std::uint64_t byte, std::span<std::byte> out) const;

 private:
  File file_;
  OnnxModel model_;
};

}  // namespace warpfit
