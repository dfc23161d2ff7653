#include "host/cli/common_options.hpp"

#include <algorithm>
#include <iterator>

#include "host/base/byte_size.hpp"
#include "host/cli/network_file.hpp"
#include "host/cli/option_rows.hpp"

namespace warpfit {
namespace {

constexpr std::string_view kData = "Data";
constexpr std::string_view kDevice = "Device";

Option folder_option(DataOptions& data) {
  return text({kData, "--data", "DIR",
               "directory of a data set as published: MNIST, EMNIST, QMNIST, torchvision; plain or gzip"},
              "", data.folder);
}

void add_test_set(Options& rows, DataOptions& data) {
  rows.push_back(text({kData, "--test-images", "FILE", "test images, instead of DIR/t10k-images-idx3-ubyte"},
                      "", data.files.test_images));
  rows.push_back(text({kData, "--test-labels", "FILE", "test labels, instead of DIR/t10k-labels-idx1-ubyte"},
                      "", data.files.test_labels));
}

auto network_setter(std::string& network) {
  return [&network](std::string_view given) { network = network_text(given); };
}

}  // namespace

Options data_options(DataOptions& data) {
  Options rows = training_set_options(data);
  add_test_set(rows, data);
  std::ranges::move(layout_options(data.layout), std::back_inserter(rows));
  return rows;
}

Options training_set_options(DataOptions& data) {
  Options rows{folder_option(data)};
  rows.push_back(
      text({kData, "--train-images", "FILE", "training images, instead of DIR/train-images-idx3-ubyte"}, "",
           data.files.train_images));
  rows.push_back(
      text({kData, "--train-labels", "FILE", "training labels, instead of DIR/train-labels-idx1-ubyte"}, "",
           data.files.train_labels));
  return rows;
}

Options test_data_options(DataOptions& data) {
  Options rows{folder_option(data)};
  add_test_set(rows, data);
  std::ranges::move(layout_options(data.layout), std::back_inserter(rows));
  return rows;
}

Options layout_options(SampleLayout& layout) {
  Options rows;
  rows.push_back(
      on_off({kData, "--transpose", "",
              "swap rows and columns of each image, for files that store images column by column, as "
              "EMNIST's"},
             layout.is_transposed));
  rows.push_back(choice<ChannelOrder>(
      {kData, "--channels", "ORDER",
       "position of the channels in files of images with channels; auto: last if only the last dimension is "
       "1, 3 or 4"},
      {{"auto", ChannelOrder::kAuto}, {"first", ChannelOrder::kFirst}, {"last", ChannelOrder::kLast}},
      layout.channels));
  return rows;
}

Option network_option(std::string& network) {
  auto row = text(
      {"Training", "--network", "LAYERS",
       "layer widths joined by '-', with ReLU between linear layers; a comma-separated list of layers; or a "
       "TOML file of layers"},
      "784-512-10, FILE.toml, or linear(N, bias=true), conv(CHANNELS, KERNEL, stride=1, padding=0 or same, "
      "dilation=1, groups=1, bias=true, init=default, dirac or whiten), batchnorm(EPS, MOMENTUM), "
      "residual(LAYERS), "
      "dropout(P), flatten, maxpool(KERNEL, STRIDE, PADDING), avgpool(...), globalavgpool, relu, "
      "leakyrelu(SLOPE), elu(ALPHA), gelu, silu, sigmoid, tanh",
      network);
  row.otherwise = "two hidden layers of 512";
  row.set = network_setter(network);
  return row;
}

Option residency_option(Residency& residency) {
  return choice<Residency>(
      {kDevice, "--residency", "HOW",
       "stream the data set to the device in every epoch, or keep it in device memory (resident)"},
      {{"auto", Residency::kAuto}, {"stream", Residency::kStream}, {"resident", Residency::kResident}},
      residency);
}

Option memory_limit_option(std::optional<std::int64_t>& limit, std::string_view otherwise) {
  constexpr std::string_view kFlag = "--device-memory-limit";
  const auto set = [&limit, kFlag](std::string_view given) {
    limit = parse_byte_size(given);
    if (!limit)
      throw UsageError(
          fmt::format("{} {}: expected a number of bytes, as in 500000, 64M or 2G", kFlag, given));
  };
  return {.group = kDevice,
          .flag = kFlag,
          .value = "SIZE",
          .help = "maximum device memory for all data sets together",
          .range = "bytes, K, M or G",
          .otherwise = std::string(otherwise),
          .get = [&limit] { return limit ? byte_size_text(*limit) : ""; },
          .set = set};
}

Option engine_option(Engine& engine) {
  return choice<Engine>({kDevice, "--engine", "NAME",
                         "on a GPU: run operation by operation (layers), or many batches in one kernel "
                         "launch (fused); auto: fused if possible"},
                        {{"auto", Engine::kAuto}, {"layers", Engine::kLayers}, {"fused", Engine::kFused}},
                        engine);
}

Option model_option(std::string& path) {
  return text({"Model", "MODEL", "", "safetensors file of warpfit, or with a PyTorch state dict"}, "", path);
}

Option state_dict_option(std::string& network) {
  auto row = text(
      {"Model", "--network", "LAYERS",
       "layers of a PyTorch state dict that are not only linear layers with ReLU between them, as in train"},
      "", network);
  row.set = network_setter(network);
  return row;
}

Option quiet_option(bool& quiet) {
  return on_off({"Output", "--quiet", "", "print only warnings and errors on standard error"}, quiet);
}

Option verbose_option(bool& verbose) {
  return on_off({"Output", "--verbose", "", "also print the layers, and which engine runs and why"}, verbose);
}

}  // namespace warpfit
