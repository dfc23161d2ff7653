#include "host/model/model_file.hpp"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "host/base/error.hpp"
#include "host/files/safetensors_file.hpp"
#include "host/files/safetensors_writer.hpp"
#include "host/model/warm_start.hpp"
#include "tests/support/files.hpp"
#include "tests/support/linear_tensors.hpp"
#include "tests/support/random.hpp"

namespace warpfit::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ModelFile : public testing::Test {
 protected:
  ModelFile() {
    const auto plan = plan_of(info_);
    parameters_.resize(plan.floats);
    TestValues values;
    for (const auto& layer : linear_tensors(plan)) {
      std::ranges::copy(values.uniform(layer.inputs * layer.outputs), parameters_.begin() + layer.weight);
      std::ranges::copy(values.uniform(layer.outputs), parameters_.begin() + layer.bias);
    }
  }

  // A state dict whose tensors have these shapes and contain ones.
  std::string state_dict(const std::vector<std::pair<std::string, std::vector<std::int64_t>>>& shapes,
                         const Metadata& metadata = {}) {
    static const std::vector<float> kOnes(1000, 1);
    std::vector<TensorView> tensors;
    for (const auto& [name, shape] : shapes) {
      std::size_t size = 1;
      for (const auto extent : shape) size *= static_cast<std::size_t>(extent);
      tensors.push_back({name, DType::kF32, shape, std::as_bytes(std::span(kOnes).first(size))});
    }
    write_safetensors(path_, metadata, tensors);
    return path_;
  }

  static std::string error_message(const std::string& path) {
    try {
      load_model(path);
    } catch (const ModelError& error) {
      return error.what();
    }
    return "accepted";
  }

  TemporaryFolder folder_;
  std::string path_ = (folder_.path() / "model.safetensors").string();
  ModelInfo info_{.network = multilayer_perceptron({6, 5, 4, 3}), .sample_shape = {2, 3}};
  std::vector<float> parameters_;
};

TEST_F(ModelFile, NamesParametersAsPyTorchDoes) {
  EXPECT_THAT(parameter_names(info_), ElementsAre("linear_relu_stack.0.weight", "linear_relu_stack.0.bias",
                                                  "linear_relu_stack.2.weight", "linear_relu_stack.2.bias",
                                                  "linear_relu_stack.4.weight", "linear_relu_stack.4.bias"));
  info_.names = "";
  info_.dropout = 0.1F;
  EXPECT_THAT(parameter_names(info_),
              ElementsAre("0.weight", "0.bias", "3.weight", "3.bias", "6.weight", "6.bias"));
}

TEST_F(ModelFile, ComesBackAsItWas) {
  info_.log_softmax = true;
  info_.dropout = 0.3F;
  info_.names = "net";
  save_model(path_, info_, parameters_);
  const auto model = load_model(path_);
  EXPECT_EQ(model.parameters, parameters_);
  EXPECT_EQ(model.info.network, info_.network);
  EXPECT_EQ(model.info.sample_shape, info_.sample_shape);
  EXPECT_EQ(model.info.dropout, 0.3F);
  EXPECT_EQ(model.info.names, "net");
  EXPECT_TRUE(model.info.log_softmax);
}

TEST_F(ModelFile, KeepsTheNamesOfTheClasses) {
  info_.class_names = {"T-shirt/top", "\"", "\u00e9"};
  save_model(path_, info_, parameters_);
  EXPECT_EQ(load_model(path_).info.class_names, info_.class_names);
  auto metadata = metadata_of(info_);
  for (const char* names : {R"(["a","b"])", R"(["a","b",3])", R"({"a":"b"})", "3", "[a]", ""}) {
    metadata["warpfit.class_names"] = names;
    write_safetensors(path_, metadata, parameter_tensors(info_, parameters_));
    EXPECT_NE(error_message(path_), "accepted") << names;
  }
}

TEST_F(ModelFile, KeepsTheStatisticsOfThePixels) {
  save_model(path_, info_, parameters_);
  EXPECT_FALSE(load_model(path_).info.pixels);
  info_.pixels = {.mean = 0.286041, .deviation = 0.353024};
  save_model(path_, info_, parameters_);
  EXPECT_EQ(load_model(path_).info.pixels, info_.pixels);
  for (const auto* key : {"warpfit.pixel_mean", "warpfit.pixel_std"}) {
    for (const auto* value : {"-0.1", "1.1", "nan", "", "x"}) {
      auto metadata = metadata_of(info_);
      metadata[key] = value;
      write_safetensors(path_, metadata, parameter_tensors(info_, parameters_));
      EXPECT_NE(error_message(path_), "accepted") << key << value;
    }
  }
}

TEST_F(ModelFile, KeepsTheNormalizationOfEachChannel) {
  info_.sample_shape = {2, 1, 3};
  info_.normalization = {2, {0.1F, -0.25F}, {0.3F, 1e-9F}};
  save_model(path_, info_, parameters_);
  EXPECT_EQ(load_model(path_).info.normalization, info_.normalization);
  EXPECT_EQ(metadata_of(info_).at("warpfit.pixels"),
            "(float32(byte) / 255 - normalize_mean) / normalize_std");
  const auto refuses = [&](const std::string& key, const std::string& value) {
    auto metadata = metadata_of(info_);
    metadata[key] = value;
    if (value == "none") metadata.erase(key);
    write_safetensors(path_, metadata, parameter_tensors(info_, parameters_));
    EXPECT_NE(error_message(path_), "accepted") << key << value;
  };
  for (const auto* value : {"0.1", "0.1,0.2,0.3", "0.1,", "nan,0.1", "0.1,inf", "", "x", "none"}) {
    refuses("warpfit.normalize_mean", value);
    refuses("warpfit.normalize_std", value);
  }
  refuses("warpfit.normalize_std", "0.1,0");
  refuses("warpfit.normalize_std", "-1,1");
}

TEST_F(ModelFile, HoldsNoGapsBetweenTensors) {
  save_model(path_, info_, parameters_);
  const SafetensorsFile file(path_);
  std::uint64_t bytes = 0;
  for (const auto& tensor : file.tensors()) bytes += tensor.size;
  EXPECT_EQ(bytes, 4U * static_cast<std::uint64_t>(plan_of(info_).parameters()));
  EXPECT_EQ(file.find("linear_relu_stack.2.weight")->shape, (std::vector<std::int64_t>{4, 5}));
}

TEST_F(ModelFile, IsMadeOutFromPyTorchsStateDict) {
  const auto model = load_model(
      state_dict({{"fc10.bias", {2}}, {"fc9.weight", {3, 4}}, {"fc10.weight", {2, 3}}, {"fc9.bias", {3}}}));
  EXPECT_EQ(model.info.network.text(), "4-3-2");
  EXPECT_EQ(model.info.sample_shape, (std::vector<std::int64_t>{4}));
  EXPECT_FALSE(model.info.log_softmax);
  EXPECT_EQ(model.parameters.front(), 1);
}

TEST_F(ModelFile, KeepsTheNamesOfPyTorchsSequential) {
  const auto names = [&](const std::string& first, const std::string& second) {
    return load_model(state_dict({{first + ".weight", {3, 4}},
                                  {first + ".bias", {3}},
                                  {second + ".weight", {2, 3}},
                                  {second + ".bias", {2}}}))
        .info.names;
  };
  EXPECT_EQ(names("net.layers.0", "net.layers.2"), "net.layers");
  EXPECT_EQ(names("0", "2"), "");
  for (const auto& [first, second] :
       {std::pair{"net.0", "net.3"}, {"fc1", "fc2"}, {"a.0", "b.2"}, {"10", "12"}}) {
    EXPECT_EQ(names(first, second), "linear_relu_stack") << first;
  }
}

TEST_F(ModelFile, RefusesStateDictsOfOtherNetworks) {
  EXPECT_THAT(
      error_message(state_dict({{"conv.weight", {2, 3, 3, 3}}, {"conv.bias", {2}}})),
      HasSubstr("conv.weight is F32 (2, 3, 3, 3), expected floating-point numbers (outputs, inputs)"));
  EXPECT_THAT(error_message(
                  state_dict({{"a.weight", {3, 4}}, {"a.bias", {3}}, {"b.weight", {2, 5}}, {"b.bias", {2}}})),
              HasSubstr("b.weight is F32 (2, 5), expected 3 inputs"));
  EXPECT_THAT(error_message(state_dict({{"a.weight", {3, 4}}, {"a.bias", {4}}})),
              HasSubstr("a.bias is F32 (4), expected floating-point numbers (3)"));
  EXPECT_THAT(error_message(state_dict({{"a.weight", {3, 4}}, {"b.bias", {3}}})),
              HasSubstr("tensor b.bias is F32 (3), expected b.weight next to it"));
  EXPECT_THAT(error_message(state_dict({{"a.weight", {3, 4}}, {"bn.running_mean", {3}}})),
              HasSubstr("bn.running_mean is F32 (3), expected weights and biases"));
  EXPECT_THAT(error_message(state_dict({{"a.weight", {1, 4}}, {"a.bias", {1}}})),
              HasSubstr("at least 2 outputs"));
  EXPECT_THAT(error_message(state_dict({})), HasSubstr("no weights"));
}

TEST_F(ModelFile, RefusesMetadataThatDoesNotFit) {
  const auto with = [&](const std::string& key, const std::string& value) {
    auto metadata = metadata_of(info_);
    metadata[key] = value;
    write_safetensors(path_, metadata, parameter_tensors(info_, parameters_));
    return error_message(path_);
  };
  EXPECT_EQ(with("warpfit.output", "logits"), "accepted");
  EXPECT_THAT(with("warpfit.network", "6-5"),
              HasSubstr("tensor linear_relu_stack.2.weight is not part of its network 6-5"));
  EXPECT_THAT(with("warpfit.network", "6-5-4-4"),
              HasSubstr("no tensor linear_relu_stack.4.weight (4, 4) of floating-point numbers"));
  EXPECT_THAT(with("warpfit.network", "6"), HasSubstr("at least two widths"));
  EXPECT_THAT(with("warpfit.network", "linear(5),relu,linear"),
              HasSubstr("layer 3, 'linear': no outputs given"));
  EXPECT_THAT(with("warpfit.network", "maxpool(3),linear(3)"), HasSubstr("its input is 1x2x3"));
  EXPECT_THAT(with("warpfit.output", "softmax"), HasSubstr("expected logits or log_softmax"));
  EXPECT_THAT(with("warpfit.sample_shape", "2x2"), HasSubstr("warpfit.sample_shape is '2x2', expected"));
  EXPECT_THAT(with("warpfit.sample_shape", "3x"), HasSubstr("warpfit.sample_shape"));
  for (const auto* shape : {"0x6", "0x28", "6x0", "2x0x3", "0"}) {
    EXPECT_THAT(with("warpfit.sample_shape", shape), HasSubstr("expected extents that make 6 inputs"))
        << shape;
  }
  EXPECT_THAT(with("warpfit.sample_shape", "-2x-3"), HasSubstr("warpfit.sample_shape"));
  EXPECT_THAT(with("warpfit.dropout", "1"), HasSubstr("warpfit.dropout is '1'"));
  EXPECT_THAT(with("warpfit.dropout", "nan"), HasSubstr("warpfit.dropout is 'nan'"));
  EXPECT_THAT(with("warpfit.names", "other"), HasSubstr("no tensor other.0.weight"));
}

// 2 TB of parameters, but the file has no tensor for them: no memory is allocated.
TEST_F(ModelFile, RefusesANetworkLargerThanTheFile) {
  auto metadata = metadata_of(info_);
  metadata["warpfit.network"] = "16777216-32768";
  metadata["warpfit.sample_shape"] = "16777216";
  EXPECT_THAT(error_message(state_dict({}, metadata)), HasSubstr("no tensor linear_relu_stack.0.weight"));
}

TEST_F(ModelFile, WarmStartsFromWhatMatches) {
  state_dict({{"linear_relu_stack.0.weight", {5, 6}},
              {"linear_relu_stack.0.bias", {5}},
              {"linear_relu_stack.2.weight", {4, 4}},
              {"head.weight", {2}}});
  const auto before = parameters_;
  const auto result = load_matching(path_, info_, parameters_);
  EXPECT_THAT(result.loaded, ElementsAre("linear_relu_stack.0.weight", "linear_relu_stack.0.bias"));
  EXPECT_THAT(result.missing,
              ElementsAre("linear_relu_stack.2.weight (4, 5)", "linear_relu_stack.2.bias (4)",
                          "linear_relu_stack.4.weight (3, 4)", "linear_relu_stack.4.bias (3)"));
  EXPECT_THAT(result.unexpected, ElementsAre("linear_relu_stack.2.weight (4, 4)", "head.weight (2)"));
  const auto plan = plan_of(info_);
  EXPECT_EQ(parameters_.front(), 1);
  EXPECT_EQ(parameters_[linear_tensors(plan)[0].bias + 4], 1);
  EXPECT_EQ(parameters_[linear_tensors(plan)[1].weight], before[linear_tensors(plan)[1].weight]);

  info_.names = "other";
  EXPECT_THROW(load_matching(path_, info_, parameters_), ModelError);
}

TEST_F(ModelFile, WarmStartsFromFloatsAlone) {
  const std::vector<std::int32_t> numbers(30, 1);
  const std::vector<float> ones(5, 1);
  write_safetensors(
      path_, {},
      std::vector<TensorView>{
          {"linear_relu_stack.0.weight", DType::kI32, {5, 6}, std::as_bytes(std::span(numbers))},
          {"linear_relu_stack.0.bias", DType::kF32, {5}, std::as_bytes(std::span(ones))}});
  const auto before = parameters_;
  const auto result = load_matching(path_, info_, parameters_);
  EXPECT_THAT(result.loaded, ElementsAre("linear_relu_stack.0.bias"));
  EXPECT_THAT(result.missing, testing::Contains("linear_relu_stack.0.weight (5, 6)"));
  EXPECT_THAT(result.unexpected, ElementsAre("linear_relu_stack.0.weight (5, 6)"));
  EXPECT_TRUE(std::equal(before.begin(), before.begin() + 30, parameters_.begin()));
}

TEST_F(ModelFile, WarmStartsFromFiniteNumbersAlone) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(not_finite({.info = info_, .parameters = parameters_}), "");
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity}) {
    auto broken = parameters_;
    const auto at = linear_tensors(plan_of(info_))[1].weight + 3;
    broken[at] = bad;
    const auto message = fmt::format("element 3 of tensor linear_relu_stack.2.weight is {}", bad);
    EXPECT_EQ(not_finite({.info = info_, .parameters = broken}), message);
    save_model(path_, info_, broken);
    auto parameters = parameters_;
    EXPECT_THAT(
        [&] { load_matching(path_, info_, parameters); },
        testing::ThrowsMessage<ModelError>(HasSubstr(path_ + ": " + message + ", expected finite numbers")));
    // A tensor that is not used is ignored.
    ModelInfo other{.network = multilayer_perceptron({6, 5, 2}), .sample_shape = {6}};
    std::vector<float> few(plan_of(other).floats);
    EXPECT_THAT(load_matching(path_, other, few).loaded, testing::SizeIs(2));
  }
}

}  // namespace
}  // namespace warpfit::test
