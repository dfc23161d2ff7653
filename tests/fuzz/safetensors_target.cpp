// Safetensors files: header, data, models in them, and `warpfit inspect`. An accepted file is written again
// and must read back the same.
#include <algorithm>

#include "host/files/safetensors_file.hpp"
#include "host/files/safetensors_writer.hpp"
#include "host/inspect/describe.hpp"
#include "host/model/model_file.hpp"
#include "host/model/warm_start.hpp"
#include "tests/fuzz/safetensors_format.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/fuzz/try_read.hpp"

namespace warpfit::fuzz {
namespace {

const ModelInfo kSmall{.network = multilayer_perceptron({3, 2, 2}), .sample_shape = {3}};

std::vector<float> parameters_of(const ModelInfo& info) {
  std::vector<float> values(plan_of(info).floats);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 8;
  return values;
}

std::vector<std::byte> data_of(const SafetensorsFile& file, const StoredTensor& tensor) {
  std::vector<std::byte> data(tensor.size);
  file.read(tensor, data);
  return data;
}

bool same(const SafetensorsFile& a, const SafetensorsFile& b) {
  return a.metadata() == b.metadata() &&
         std::ranges::equal(a.tensors(), b.tensors(), [&](const auto& one, const auto& other) {
           return one.name == other.name && one.dtype == other.dtype && one.shape == other.shape &&
                  data_of(a, one) == data_of(b, other);
         });
}

void check_round_trip(const std::string& path) {
  const SafetensorsFile file(path);
  std::vector<std::vector<std::byte>> data;
  std::vector<TensorView> tensors;
  for (const auto& tensor : file.tensors()) data.push_back(data_of(file, tensor));
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto& tensor = file.tensors()[i];
    tensors.push_back({tensor.name, tensor.dtype, tensor.shape, data[i]});
  }
  const auto copy = output_path();
  write_safetensors(copy, file.metadata(), tensors);
  require(same(file, SafetensorsFile(copy, Checksum::kRequired)), "safetensors round trip");
}

void check_model(const std::string& path) {
  const auto model = load_model(path);
  const auto copy = output_path();
  save_model(copy, model.info, model.parameters);
  const auto again = load_model(copy);
  require(model.info.network == again.info.network, "a model keeps its network");
  require(model.info.names == again.info.names, "a model keeps its names");
  require(model.info.sample_shape == again.info.sample_shape, "a model keeps the shape of its samples");
  require(std::ranges::equal(std::as_bytes(std::span(model.parameters)),
                             std::as_bytes(std::span(again.parameters))),
          "a model keeps its parameters");
}

}  // namespace

void read(Input input) {
  static InputFile file;
  const auto& path = file.holding(input);
  try_read([&] { describe_safetensors(path, check_text); });
  try_read([&] { check_model(path); });
  try_read([&] {
    auto parameters = parameters_of(kSmall);
    load_matching(path, kSmall, parameters);
  });
  try_read([&] { SafetensorsFile(path, Checksum::kRequired); });
  check_round_trip(path);
}

std::vector<Bytes> seeds() {
  std::vector<Bytes> all;
  ModelInfo info = kSmall;
  all.push_back(written([&](const auto& path) { save_model(path, info, parameters_of(info)); }));
  info.log_softmax = true;
  info.dropout = 0.5F;
  info.names = "a.b";
  all.push_back(written([&](const auto& path) { save_model(path, info, parameters_of(info)); }));
  all.push_back(written([](const auto& path) { write_safetensors(path, {}, {}); }));
  all.push_back(test::safetensors(
      R"({"x":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"y":{"dtype":"BOOL","shape":[],"data_offsets":[8,9]}})",
      Bytes(9)));
  all.push_back(test::safetensors(  // a PyTorch state dict
      R"({"net.0.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"net.0.bias":{"dtype":"F32","shape":[2],"data_offsets":[24,32]}})",
      Bytes(32)));
  return all;
}

std::vector<std::string> words() { return safetensors_words(); }

}  // namespace warpfit::fuzz

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  return warpfit::fuzz::mutate_safetensors(data, size, max_size, seed);
}
