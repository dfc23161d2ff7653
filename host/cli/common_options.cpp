#include "host/cli/common_options.hpp"

#include "host/base/byte_size.hpp"
#include "host/cli/option_rows.hpp"

namespace warpfit {
namespace {

constexpr std::string_view kData = "Data";
constexpr std::string_view kDevice = "Device";

Option folder_option(DataOptions& data) {
  return text({kData, "--data", "DIR", "folder with the four IDX files, gzip or not, named as MNIST's"}, "",
              data.folder);
}

void add_test_set(Options& rows, DataOptions& data) {
  rows.push_back(
      text({kData, "--test-images", "FILE", "test samples, in place of DIR/t10k-images-idx3-ubyte"}, "",
           data.files.test_images));
  rows.push_back(text({kData, "--test-labels", "FILE", "test labels, in place of DIR/t10k-labels-idx1-ubyte"},
                      "", data.files.test_labels));
}

}  // namespace

Options data_options(DataOptions& data) {
  Options rows = training_set_options(data);
  add_test_set(rows, data);
  return rows;
}

Options training_set_options(DataOptions& data) {
  Options rows{folder_option(data)};
  rows.push_back(
      text({kData, "--train-images", "FILE", "training samples, in place of DIR/train-images-idx3-ubyte"}, "",
           data.files.train_images));
  rows.push_back(
      text({kData, "--train-labels", "FILE", "training labels, in place of DIR/train-labels-idx1-ubyte"}, "",
           data.files.train_labels));
  return rows;
}

Options test_data_options(DataOptions& data) {
  Options rows{folder_option(data)};
  add_test_set(rows, data);
  return rows;
}

Option network_option(std::string& network) {
  auto row = text({"Training", "--network", "LAYERS",
                   "widths joined by '-', with ReLU between linear layers; or layers joined by commas"},
                  "784-512-10, or linear(N, bias=true), dropout(P), flatten, relu, leakyrelu(SLOPE), "
                  "elu(ALPHA), gelu, silu, "
                  "sigmoid, tanh",
                  network);
  row.otherwise = "512-512 between the data's sizes";
  return row;
}

Option residency_option(Residency& residency) {
  return choice<Residency>(
      {kDevice, "--residency", "HOW", "send the data in each epoch, or keep it there"},
      {{"auto", Residency::kAuto}, {"stream", Residency::kStream}, {"resident", Residency::kResident}},
      residency);
}

Option memory_limit_option(std::optional<std::int64_t>& limit, std::string_view otherwise) {
  constexpr std::string_view kFlag = "--device-memory-limit";
  const auto set = [&limit, kFlag](std::string_view given) {
    limit = parse_byte_size(given);
    if (!limit) throw UsageError(fmt::format("{} {}: expected bytes, as in 500000, 64M or 2G", kFlag, given));
  };
  return {.group = kDevice,
          .flag = kFlag,
          .value = "SIZE",
          .help = "most bytes of the device's memory that data sets take together",
          .range = "bytes, K, M or G",
          .otherwise = std::string(otherwise),
          .get = [&limit] { return limit ? byte_size_text(*limit) : ""; },
          .set = set};
}

Option engine_option(Engine& engine) {
  return choice<Engine>(
      {kDevice, "--engine", "NAME",
       "on a GPU, operation by operation or many batches in one launch; auto: fused where that can be"},
      {{"auto", Engine::kAuto}, {"layers", Engine::kLayers}, {"fused", Engine::kFused}}, engine);
}

Option model_option(std::string& path) {
  return text({"Model", "MODEL", "", "safetensors file of warpfit, or with a state dict of PyTorch"}, "",
              path);
}

Option quiet_option(bool& quiet) {
  return on_off({"Output", "--quiet", "", "only warnings and errors on standard error"}, quiet);
}

Option verbose_option(bool& verbose) {
  return on_off({"Output", "--verbose", "", "also which engine runs, and why"}, verbose);
}

}  // namespace warpfit
