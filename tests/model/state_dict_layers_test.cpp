#include "host/model/state_dict_layers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>

#include "host/base/error.hpp"
#include "host/files/safetensors_writer.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

const std::string kNetwork =
    "conv(4,3,padding=1),batchnorm,relu,maxpool(2),conv(4,3,padding=1),batchnorm,residual(conv(4,3,padding=1)"
    "),"
    "linear(8),relu,linear(3)";
const std::vector<std::int64_t> kSample{1, 6, 6};

// Writes a model with other names of its modules as a PyTorch state dict.
class StateDictLayers : public testing::Test {
 protected:
  StateDictLayers() {
    model_.info = {.network = parse_network(kNetwork), .sample_shape = kSample, .names = ""};
    const auto plan = plan_of(model_.info);
    model_.parameters.resize(plan.floats);
    for (const auto& tensor : plan.tensors) {
      const auto values = tensor.in(std::span(model_.parameters));
      std::iota(values.begin(), values.end(), static_cast<float>(tensor.offset));
    }
    model_.state.resize(plan.state_floats);
    for (const auto& tensor : plan.state) {
      if (tensor.role == TensorRole::kCounter) continue;
      const auto values = tensor.in(std::span(model_.state));
      std::iota(values.begin(), values.end(), static_cast<float>(tensor.offset) + 0.5F);
    }
  }

  std::string written(const std::map<std::string, std::string>& modules,
                      const std::string& without = "none") const {
    auto tensors = parameter_tensors(model_.info, model_.parameters);
    const auto state = state_tensors(model_.info, model_.state);
    tensors.insert(tensors.end(), state.tensors.begin(), state.tensors.end());
    std::erase_if(tensors, [&](const auto& tensor) { return tensor.name == without; });
    for (auto& tensor : tensors) {
      const auto dot = tensor.name.rfind('.');
      tensor.name = modules.at(tensor.name.substr(0, dot)) + tensor.name.substr(dot);
    }
    std::ranges::sort(tensors, {}, &TensorView::name);
    const auto path = (folder_.path() / "state_dict.safetensors").string();
    write_safetensors(path, Metadata{{"format", "pt"}}, tensors);
    return path;
  }

  const std::map<std::string, std::string> modules_{
      {"0", "features.conv1"},    {"1", "features.bn1"},   {"4", "features.conv2"}, {"5", "features.bn2"},
      {"6.0", "features.conv10"}, {"8", "classifier.fc1"}, {"10", "classifier.fc2"}};
  Model model_;
  TemporaryFolder folder_;
};

TEST_F(StateDictLayers, AreTakenInTheOrderOfTheNetwork) {
  const auto loaded = load_state_dict(written(modules_), kNetwork, kSample);
  EXPECT_EQ(loaded.parameters, model_.parameters);
  EXPECT_EQ(loaded.state, model_.state);
  EXPECT_EQ(loaded.info.network, model_.info.network);
  EXPECT_EQ(loaded.info.sample_shape, kSample);
}

TEST_F(StateDictLayers, HaveAllTensorsOfTheirLayer) {
  const auto load = [](const std::string& path, const std::string& network) {
    return [=] { load_state_dict(path, network, kSample); };
  };
  const auto path = written(modules_);
  EXPECT_THAT(
      load(path, "conv(4,3,padding=1),linear(3)"),
      ThrowsMessage<ModelError>(HasSubstr("no module for layer linear(3), with the tensors weight (3, 144), "
                                          "bias (3) and no others")));
  EXPECT_THAT(load(path, "conv(4,3,padding=1),maxpool(2),linear(8),relu,linear(3)"),
              ThrowsMessage<ModelError>(HasSubstr("has no layer for features.bn1.bias")));
  EXPECT_THAT(load(path, "conv(4,3,padding=1,bias=false),linear(3)"),
              ThrowsMessage<ModelError>(HasSubstr("no module for layer conv(4,3,padding=1,bias=false)")));
  EXPECT_THAT(load(written(modules_, "1.running_var"), kNetwork),
              ThrowsMessage<ModelError>(HasSubstr("no module for layer batchnorm")));
  EXPECT_THAT(load(path, "linear(3),conv(4,3)"), ThrowsMessage<UsageError>(HasSubstr("expected images")));
  const auto own = (folder_.path() / "own.safetensors").string();
  save_model(own, model_.info, model_.parameters, model_.state);
  EXPECT_THAT(load(own, kNetwork),
              ThrowsMessage<UsageError>(HasSubstr("is a model of warpfit, which names its network itself")));
}

}  // namespace
}  // namespace warpfit::test
