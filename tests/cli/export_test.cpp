// `warpfit export` as its user sees it. tools/exchange_test.py tests that PyTorch and ONNX read the files.
#include <gtest/gtest.h>

#include <algorithm>

#include "host/files/npz.hpp"
#include "host/files/safetensors_writer.hpp"
#include "tests/support/linear_tensors.hpp"
#include "tests/support/program.hpp"
#include "tests/support/saved_model.hpp"

namespace warpfit::test {
namespace {

class Export : public testing::Test {
 protected:
  // Exports and returns the path of the written file.
  std::string written(const std::string& from, const std::string& format,
                      std::vector<std::string> more = {}) {
    auto path = (folder_.path() / "written").string();
    more.insert(more.begin(), {"export", from, "--to", format, "--output", path});
    const auto run = run_warpfit(more);
    EXPECT_EQ(run.exit_code, 0) << run.error;
    EXPECT_EQ(run.out, "");
    return path;
  }

  static std::string text_of(const std::string& path) {
    const auto bytes = read_file(path);
    return {bytes.begin(), bytes.end()};
  }

  static std::size_t count(std::string_view text, std::string_view part) {
    std::size_t times = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++times;
    return times;
  }

  TemporaryFolder folder_;
  Model model_{{.network = multilayer_perceptron({6, 5, 4, 3}),
                .sample_shape = {2, 3},
                .log_softmax = true,
                .dropout = 0.3F},
               random_parameters(multilayer_perceptron({6, 5, 4, 3}))};
  std::string path_ = add_model(folder_, "model", model_);
};

TEST_F(Export, GivesTheSameModel) { EXPECT_EQ(read_file(written(path_, "safetensors")), read_file(path_)); }

TEST_F(Export, WarnsOfNumbersThatAreNotFinite) {
  const auto path = add_model(folder_, "infinite", with_infinite_bias(model_));
  const auto run = run_warpfit({"export", path, "--to", "onnx", "--output", path + ".onnx", "--quiet"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_NE(run.error.find(path + ": element 1 of tensor linear_relu_stack.6.bias is inf"), std::string::npos)
      << run.error;
}

TEST_F(Export, RenamesTheLayers) {
  for (const std::string names : {"net.layers", ""}) {
    const auto model = load_model(written(path_, "safetensors", {"--names", names}));
    EXPECT_EQ(model.info.names, names);
    EXPECT_EQ(model.parameters, model_.parameters);
    EXPECT_EQ(model.info.dropout, 0.3F);
    EXPECT_TRUE(model.info.log_softmax);
  }
  EXPECT_NE(text_of(written(path_, "npz", {"--names", "net"})).find("net.3.weight.npy"), std::string::npos);
}

TEST_F(Export, KeepsTheNamesOfAStateDict) {
  auto info = model_.info;
  info.dropout = 0;
  info.names = "net.layers";
  const auto dict = (folder_.path() / "dict").string();
  write_safetensors(dict, {}, parameter_tensors(info, model_.parameters));
  const auto model = load_model(written(dict, "safetensors"));
  EXPECT_EQ(model.info.names, "net.layers");
  EXPECT_EQ(model.parameters, model_.parameters);
}

TEST_F(Export, MayReplaceItsOwnFile) {
  EXPECT_EQ(
      run_warpfit({"export", path_, "--to", "safetensors", "--output", path_, "--names", "new"}).exit_code,
      0);
  const auto model = load_model(path_);
  EXPECT_EQ(model.info.names, "new");
  EXPECT_EQ(model.parameters, model_.parameters);
}

TEST_F(Export, WritesNpzOfTheTensors) {
  const auto expected = (folder_.path() / "expected").string();
  write_npz(expected, parameter_tensors(model_.info, model_.parameters));
  EXPECT_EQ(read_file(written(path_, "npz")), read_file(expected));
}

TEST_F(Export, WritesOnnxOfLayersWeightsAndMetadata) {
  const auto text = text_of(written(path_, "onnx"));
  for (const char* node : {"Flatten_1", "Gemm_2", "Relu_3", "Gemm_4", "Relu_5", "Gemm_6", "LogSoftmax_7"}) {
    EXPECT_NE(text.find(node), text.npos) << node;
  }
  for (const char* part : {"warpfit.sample_shape", "2x3", "warpfit.network", "6-5-4-3", "log_softmax",
                           "linear_relu_stack.6.weight", WARPFIT_VERSION}) {
    EXPECT_NE(text.find(part), text.npos) << part;
  }
  EXPECT_EQ(text.find("format"), text.npos) << "safetensors' own metadata";
  const auto plan = plan_of(model_.info);
  for (const auto& layer : linear_tensors(plan)) {
    for (const auto& [offset, size] :
         {std::pair{layer.weight, layer.weight_size()}, {layer.bias, layer.bias_size()}}) {
      const auto values = std::as_bytes(std::span(model_.parameters).subspan(offset, size));
      EXPECT_EQ(count(text, {reinterpret_cast<const char*>(values.data()), values.size()}), 1U);
    }
  }
}

TEST_F(Export, EndsWithTheDocumentedCodeOnMisuse) {
  const auto out = (folder_.path() / "out").string();
  const std::vector<std::tuple<std::vector<std::string>, int, std::string>> cases{
      {{"--to", "npz", "--output", out}, 2, "no MODEL given"},
      {{path_, "--output", out}, 2, "no --to given: expected safetensors, onnx or npz"},
      {{path_, "--to", "pickle", "--output", out}, 2, "--to pickle: expected safetensors, onnx or npz"},
      {{path_, "--to", "npz"}, 2, "no --output given"},
      {{path_, "--to", "npz", "--output", out, "--names", "../up"}, 2, "--names ../up"},
      {{path_, "--to", "npz", "--output", out, "--names", "a..b"}, 2, "--names a..b"},
      {{path_, "--to", "npz", "--output", out, "--names", "a."}, 2, "--names a."},
      {{folder_.add("text", {'n', 'o'}), "--to", "npz", "--output", out}, 4, "text"},
      {{"missing", "--to", "npz", "--output", out}, 5, "missing"},
      {{path_, "--to", "onnx", "--output", "no/such/folder"}, 5, "no/such/folder"},
  };
  for (auto [arguments, code, message] : cases) {
    arguments.insert(arguments.begin(), "export");
    const auto run = run_warpfit(arguments);
    EXPECT_EQ(run.exit_code, code) << testing::PrintToString(arguments) << run.error;
    EXPECT_NE(run.error.find(message), std::string::npos) << message << " is not in " << run.error;
    EXPECT_FALSE(std::filesystem::exists(out));
  }
}

}  // namespace
}  // namespace warpfit::test
