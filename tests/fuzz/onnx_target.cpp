// ONNX models as `warpfit inspect` reads them: the protobuf encoding, the graph, and the data of the weights.
#include "host/files/onnx.hpp"
#include "host/files/onnx_file.hpp"
#include "host/files/protobuf_writer.hpp"
#include "host/inspect/describe.hpp"
#include "host/inspect/file_kind.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/fuzz/try_read.hpp"

namespace warpfit::fuzz {

void read(Input input) {
  static InputFile file;
  const auto& path = file.holding(input);
  try_read([&] { file_kind(path); });
  describe_onnx(path, check_text);
  const OnnxFile model(path);
  for (const auto& tensor : model.model().initializers) {
    if (!tensor.data) continue;
    require(tensor.data->byte <= input.size() && tensor.data->size <= input.size() - tensor.data->byte,
            "a weight's data lies within the file");
  }
}

std::vector<Bytes> seeds() {
  const std::vector<float> w{1, 2, 3, 4, 5, 6}, b{7, 8};
  OnnxNetwork network{
      .sample_shape = {3}, .layers = {}, .metadata = {{"key", "value"}}, .producer_version = "1"};
  std::vector<Bytes> all;
  for (const bool log_softmax : {false, true}) {
    network.log_softmax = log_softmax;
    network.layers.push_back({.weight_name = log_softmax ? "net.2.weight" : "net.0.weight",
                              .bias_name = log_softmax ? "net.2.bias" : "net.0.bias",
                              .inputs = log_softmax ? 2 : 3,
                              .outputs = 2,
                              .w = std::span(w).first(log_softmax ? 4 : 6),
                              .b = b});
    if (log_softmax) network.layers.front().activation = "Gelu";
    const auto path = output_path();
    write_onnx(path, network);
    all.push_back(test::read_file(path));
  }
  return all;
}

std::vector<std::string> words() {
  using namespace std::string_literals;
  return {"Gemm",
          "Relu",
          "LogSoftmax",
          "Flatten",
          "ai.onnx"s,
          "batch",
          "\x08\x01"s,
          "\x10\x01"s,
          "\x22\x04"s,
          "\x2A\x04"s,
          "\x4A\x04"s,
          "\x62\x04"s,
          "location"s,
          "\x70\x01"s,
          "\xFF\xFF\xFF\xFF\x0F"s,
          "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"s};
}

}  // namespace warpfit::fuzz
