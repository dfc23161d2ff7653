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
  OnnxGraph graph{.sample_shape = {3},
                  .output_shape = {2},
                  .operators = {{"Flatten", {}, {{"axis", 1}}},
                                {"Gemm", {"net.0.weight", "net.0.bias"}, {{"transB", 1}}}},
                  .tensors = {{"net.0.weight", {2, 3}, w}, {"net.0.bias", {2}, b}},
                  .metadata = {{"key", "value"}},
                  .producer_version = "1"};
  std::vector<Bytes> all;
  const auto add = [&] {
    const auto path = output_path();
    write_onnx(path, graph);
    all.push_back(test::read_file(path));
  };
  add();
  graph.operators.push_back({"Reshape", {"shape"}});
  graph.operators.push_back({"Elu", {}, {{"alpha", 0.5F}}});
  graph.operators.push_back({"MaxPool", {}, {{"kernel_shape", std::vector<std::int64_t>{1, 1}}}});
  graph.tensors.push_back({"shape", {4}, std::vector<std::int64_t>{0, 2, 1, 1}});
  add();
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
