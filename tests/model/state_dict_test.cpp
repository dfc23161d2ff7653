// State dicts as found in practice: half precision, layers without bias, wrappers, other tensors, any order.
#include "host/model/state_dict.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "host/base/error.hpp"
#include "host/files/float_tensor.hpp"
#include "host/files/safetensors_writer.hpp"
#include "host/model/model_file.hpp"
#include "host/model/tensor_names.hpp"
#include "host/model/warm_start.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class StateDictFile : public testing::Test {
 protected:
  using Shapes = std::vector<std::pair<std::string, std::vector<std::int64_t>>>;

  // Tensors of these shapes; all elements of tensor i are i + 1.
  void write(const Shapes& shapes) {
    std::vector<std::vector<float>> values;
    for (const auto& [name, shape] : shapes) {
      std::size_t size = 1;
      for (const auto extent : shape) size *= static_cast<std::size_t>(extent);
      values.emplace_back(size, static_cast<float>(values.size() + 1));
    }
    std::vector<TensorView> tensors;
    for (std::size_t i = 0; i < shapes.size(); ++i)
      tensors.push_back(
          {shapes[i].first, DType::kF32, shapes[i].second, std::as_bytes(std::span(values[i]))});
    write_safetensors(path_, {}, tensors);
  }
  Model load(const Shapes& shapes) {
    write(shapes);
    return load_model(path_);
  }
  std::string error_message(const Shapes& shapes) {
    try {
      load(shapes);
    } catch (const ModelError& error) {
      return error.what();
    }
    return "accepted";
  }
  template <class Element>
  std::vector<float> floats(DType dtype, const std::vector<Element>& elements) {
    write_safetensors(
        path_, {},
        std::vector<TensorView>{{"x", dtype, {std::ssize(elements)}, std::as_bytes(std::span(elements))}});
    const SafetensorsFile file(path_);
    std::vector<float> out(elements.size());
    read_floats(file, *file.find("x"), out);
    return out;
  }

  TemporaryFolder folder_;
  std::string path_ = (folder_.path() / "model.safetensors").string();
};

// 1, -2, the largest half-precision number, the smallest positive one, a subnormal one, 0, -0, infinity.
TEST_F(StateDictFile, HasHalfPrecision) {
  EXPECT_THAT(floats<std::uint16_t>(DType::kF16, {0x3C00, 0xC000, 0x7BFF, 0x0001, 0x8200, 0x0000, 0x7C00}),
              ElementsAre(1, -2, 65504, std::ldexp(1.0F, -24), -std::ldexp(1.0F, -15), 0, INFINITY));
  EXPECT_TRUE(std::signbit(floats<std::uint16_t>(DType::kF16, {0x8000}).front()));
  EXPECT_TRUE(std::isnan(floats<std::uint16_t>(DType::kF16, {0x7E00}).front()));
  EXPECT_THAT(floats<std::uint16_t>(DType::kBF16, {0x3F80, 0xC049, 0xFF80}),
              ElementsAre(1, -3.140625F, -INFINITY));
}

TEST_F(StateDictFile, HasDoublePrecision) {
  EXPECT_THAT(floats<double>(DType::kF64, {1.0 / 3, -1e300, 0}), ElementsAre(1.0F / 3, -INFINITY, 0));
  std::vector<double> many(300'000);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<double>(i);
  EXPECT_TRUE(std::ranges::equal(floats(DType::kF64, many), many));
}

TEST_F(StateDictFile, IsConvertedWithANote) {
  const std::vector<std::uint16_t> halves(8, 0x3C00);
  write_safetensors(
      path_, {},
      std::vector<TensorView>{{"0.weight", DType::kBF16, {2, 4}, std::as_bytes(std::span(halves))}});
  const auto model = load_model(path_);
  EXPECT_THAT(model.notes, ElementsAre(path_ + ": 1 tensors converted from BF16 to F32"));
  EXPECT_EQ(model.parameters.front(), std::bit_cast<float>(0x3C000000));
}

TEST_F(StateDictFile, MayHaveLayersWithoutBias) {
  const auto none = load({{"0.weight", {3, 4}}, {"2.weight", {2, 3}}});
  EXPECT_EQ(none.info.network.text(), "linear(3,bias=false),relu,linear(2,bias=false)");
  EXPECT_EQ(none.info.sample_shape, (std::vector<std::int64_t>{4}));
  EXPECT_EQ(none.parameters.front(), 1);
  const auto some = load({{"0.weight", {3, 4}}, {"2.weight", {2, 3}}, {"2.bias", {2}}});
  EXPECT_EQ(some.info.network.text(), "linear(3,bias=false),relu,linear(2)");
  EXPECT_EQ(some.parameters.back(), 0) << "padding";
  EXPECT_EQ(load({{"weight", {2, 4}}, {"bias", {2}}}).info.network.text(), "4-2");
}

TEST_F(StateDictFile, IsOrderedByNamesThenByTheOneOrderOfShapes) {
  const auto of = [&](const Shapes& shapes) { return load(shapes).info.network.text(); };
  EXPECT_EQ(of({{"fc2.weight", {2, 3}}, {"fc2.bias", {2}}, {"fc1.weight", {3, 4}}, {"fc1.bias", {3}}}),
            "4-3-2");
  // The order of two equal layers is decided by the numbers in their names: 9 before 10.
  EXPECT_EQ(
      load({{"fc10.weight", {4, 4}}, {"fc9.weight", {4, 4}}, {"fc11.weight", {2, 4}}}).parameters.front(), 2);
  const auto backwards = load({{"z.weight", {3, 4}},
                               {"z.bias", {3}},
                               {"b.weight", {5, 3}},
                               {"b.bias", {5}},
                               {"a.weight", {2, 5}},
                               {"a.bias", {2}}});
  EXPECT_EQ(backwards.info.network.text(), "4-3-5-2");
  EXPECT_EQ(backwards.parameters.front(), 1);
  EXPECT_THAT(
      backwards.notes,
      ElementsAre(path_ + ": the layers are taken in the only order that fits their shapes, z.weight, "
                          "b.weight, a.weight"));
  EXPECT_THAT(load({{"encoder.weight", {8, 4}}, {"decoder.weight", {4, 8}}}).warnings,
              ElementsAre(path_ + ": the layers are taken in the order of their names, decoder.weight, "
                                  "encoder.weight; their shapes fit together in other orders, too"));
  EXPECT_THAT(load({{"fc1.weight", {8, 4}}, {"fc2.weight", {4, 8}}}).warnings, IsEmpty());
  EXPECT_THAT(load({{"a.weight", {8, 4}}, {"b.weight", {2, 8}}}).warnings, IsEmpty());
  // Both orders of two equal layers fit.
  EXPECT_THAT(
      error_message({{"z.weight", {3, 4}}, {"b.weight", {3, 3}}, {"c.weight", {3, 3}}, {"a.weight", {2, 3}}}),
      HasSubstr("there is also no unique order in which all layers fit"));
  EXPECT_THAT(error_message({{"a.weight", {3, 4}}, {"b.weight", {2, 5}}}),
              HasSubstr("expected 3 inputs, the number of outputs of a.weight"));
}

// There are more orders than can be tried.
TEST_F(StateDictFile, IsRefusedSoonIfItsOrderCannotBeFound) {
  Shapes shapes{{"z.weight", {4, 4}}};
  for (int i = 0; i < 30; ++i)
    shapes.emplace_back("l" + std::to_string(i) + ".weight", std::vector<std::int64_t>{4, 4});
  shapes.emplace_back("a.weight", std::vector<std::int64_t>{2, 9});
  EXPECT_THAT(error_message(shapes), HasSubstr("there is also no unique order"));
}

TEST_F(StateDictFile, MayHaveTensorsThatBelongToNoLayer) {
  const auto model = load({{"0.weight", {2, 4}}, {"0.bias", {2}}, {"steps", {}}, {"scale\n", {3}}});
  EXPECT_EQ(model.info.network.text(), "4-2");
  EXPECT_THAT(model.warnings,
              ElementsAre(path_ + ": these tensors belong to no layer and are ignored: steps, scale?"));
  Shapes many{{"0.weight", {2, 4}}};
  for (int i = 0; i < 12; ++i) many.emplace_back("extra" + std::to_string(i), std::vector<std::int64_t>{1});
  EXPECT_THAT(load(many).warnings.front(), HasSubstr(" and 7 more"));
  EXPECT_THAT(load({{"0.weight", {2, 4}}}).warnings, IsEmpty());
}

TEST_F(StateDictFile, IsRefusedIfOtherLayersWouldBeIgnored) {
  const Shapes linear{{"fc.weight", {2, 4}}, {"fc.bias", {2}}};
  for (const auto& [name, shape] : Shapes{{"conv.weight", {2, 1, 3, 3}},
                                          {"norm.weight", {4}},
                                          {"lstm.weight_ih_l0", {16, 4}},
                                          {"norm.running_mean", {4}},
                                          {"norm.running_var", {4}},
                                          {"other.bias", {2}}}) {
    auto shapes = linear;
    shapes.emplace_back(name, shape);
    EXPECT_THAT(error_message(shapes), HasSubstr("tensor " + name + " is F32")) << name;
  }
}

TEST_F(StateDictFile, HasNamesWithoutThePrefixesOfWrappers) {
  EXPECT_THAT(unwrapped_names("module._orig_mod.net.0.weight"),
              ElementsAre("module._orig_mod.net.0.weight", "_orig_mod.net.0.weight", "net.0.weight"));
  EXPECT_EQ(without_wrappers("model.module.0.bias"), "0.bias");
  EXPECT_EQ(without_wrappers("model.net.0.bias"), "net.0.bias");
  EXPECT_EQ(without_wrappers("module.model.0.bias"), "model.0.bias");
  EXPECT_EQ(without_wrappers("model."), "");
  EXPECT_EQ(without_wrappers("models.0.bias"), "models.0.bias");
  const auto model = load({{"module.net.0.weight", {2, 4}}, {"module.net.0.bias", {2}}});
  EXPECT_EQ(model.info.names, "net");
  EXPECT_EQ(load({{"module.0.weight", {2, 4}}, {"module.0.bias", {2}}}).info.names, "");
  EXPECT_EQ(load({{"model.0.weight", {2, 4}}, {"model.0.bias", {2}}}).info.names, "model");
}

TEST_F(StateDictFile, WarmStartsWithoutThePrefixesOfWrappers) {
  const ModelInfo info{.network = multilayer_perceptron({4, 2}), .sample_shape = {4}, .names = "net"};
  std::vector<float> parameters(plan_of(info).floats);
  write({{"module.net.0.weight", {2, 4}}, {"_orig_mod.net.0.bias", {2}}, {"module.other", {1}}});
  const auto result = load_matching(path_, info, parameters);
  EXPECT_THAT(result.loaded, ElementsAre("net.0.weight", "net.0.bias"));
  EXPECT_THAT(result.unexpected, ElementsAre("module.other (1)"));
  EXPECT_EQ(parameters.front(), 1);
  // A tensor with exactly this name takes precedence over one that only has it without its prefix.
  write({{"module.net.0.weight", {2, 4}}, {"net.0.weight", {2, 4}}});
  load_matching(path_, info, parameters);
  EXPECT_EQ(parameters.front(), 2);
}

TEST_F(StateDictFile, OfPytorchsPickleIsNamed) {
  const Bytes zip{'P', 'K', 3, 4, 0, 0, 8, 8, 0, 0, 0, 0};
  const std::string member = "archive/data.pkl";
  write_file(path_, zip + Bytes(member.begin(), member.end()) + Bytes(200, 7));
  EXPECT_THAT([&] { load_model(path_); },
              testing::ThrowsMessage<ModelError>(
                  AllOf(HasSubstr("is a checkpoint of PyTorch"), HasSubstr("save_file("))));
}

}  // namespace
}  // namespace warpfit::test
