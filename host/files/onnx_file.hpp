// An ONNX model (see onnx.hpp) from any program, parsed strictly as far as it is used: the model's
// description, its operators, and its weights. Other fields are skipped. The values of a weight are read on
// request.
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

/// Strings of more than 4096 bytes are truncated.
struct OnnxModel {
  /// An input or output.
  struct Value {
    std::string name;
    std::string type;                ///< ONNX's name: "FLOAT"; empty if it is not a tensor
    std::vector<std::string> shape;  ///< numbers, names such as "batch", or "?"
  };

  /// A weight.
  struct Initializer {
    std::string name;
    std::string type;            ///< ONNX's name
    std::optional<DType> dtype;  ///< nothing if safetensors has no such type
    std::vector<std::int64_t> shape;
    /// Where the elements are stored as they are in memory; nothing if they are in another file or stored as
    /// varints.
    std::optional<FileRange> data;
  };

  std::int64_t ir_version = 0;
  std::string producer, producer_version;
  std::vector<std::pair<std::string, std::int64_t>> operator_sets;  ///< domain ("": ONNX), version
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string graph;                   ///< the graph's name
  std::vector<std::string> operators;  ///< the type of each node, in order
  std::vector<Value> inputs, outputs;
  std::vector<Initializer> initializers;
};

class OnnxFile {
 public:
  /// Errors: IoError if the file cannot be read; ModelError naming file and byte if it is damaged, truncated,
  /// not an ONNX file, or has more than a million parts.
  explicit OnnxFile(const std::string& path);

  [[nodiscard]] const std::string& path() const { return file_.path(); }
  [[nodiscard]] std::uint64_t size() const { return file_.size(); }
  [[nodiscard]] const OnnxModel& model() const { return model_; }

  /// Fills `out` with the file's contents from `byte` on. Errors: IoError, also if the file was modified
  /// since it was opened.
  void read(std::uint64_t byte, std::span<std::byte> out) const;

 private:
  File file_;
  OnnxModel model_;
};

}  // namespace warpfit
