#include "host/model/network_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

TEST(NetworkSpec, ReadsWidths) {
  const auto spec = parse_network("784-512-512-10");
  const std::vector<Layer> layers{Linear{512}, Activation{}, Linear{512}, Activation{}, Linear{10}};
  EXPECT_EQ(spec.layers, layers);
  EXPECT_EQ(spec.inputs, 784);
  EXPECT_EQ(spec.text(), "784-512-512-10");
  EXPECT_EQ(parse_network("4-2").layers, std::vector<Layer>{Linear{2}});
}

TEST(NetworkSpec, RefusesWhatIsNoNetwork) {
  for (const char* text :
       {"", "784", "784-", "-784-10", "784--10", "784-x-10", "784-0-10", "784-+5-10", "784 -10", "784-10.",
        "784-1", "99999999999999999999-10", "16777217-10", "linear(512)-10"}) {
    EXPECT_THROW(parse_network(text), UsageError) << '"' << text << '"';
  }
}

TEST(NetworkSpec, ReadsAListOfLayers) {
  const auto spec = parse_network(
      "flatten,linear(512),relu, dropout(0.2) ,linear( outputs=64 , bias=false),dropout,linear(10,true)");
  const std::vector<Layer> layers{Flatten{},         Linear{512},   Activation{}, Dropout{0.2F},
                                  Linear{64, false}, Dropout{0.5F}, Linear{10}};
  EXPECT_EQ(spec.layers, layers);
  EXPECT_EQ(spec.inputs, std::nullopt);
  EXPECT_EQ(spec.text(),
            "flatten,linear(512),relu,dropout(0.2),linear(64,bias=false),dropout(0.5),linear(10)");
  EXPECT_EQ(parse_network(spec.text()), spec);
}

TEST(NetworkSpec, ReadsActivationsWithTheirParameters) {
  const auto spec = parse_network("relu,leakyrelu,leakyrelu(0.2),elu,elu(alpha=0.5),gelu,silu,sigmoid,tanh");
  const std::vector<Layer> layers{Activation{ActivationKind::kRelu},
                                  Activation{ActivationKind::kLeakyRelu, 0.01F},
                                  Activation{ActivationKind::kLeakyRelu, 0.2F},
                                  Activation{ActivationKind::kElu, 1},
                                  Activation{ActivationKind::kElu, 0.5F},
                                  Activation{ActivationKind::kGelu},
                                  Activation{ActivationKind::kSilu},
                                  Activation{ActivationKind::kSigmoid},
                                  Activation{ActivationKind::kTanh}};
  EXPECT_EQ(spec.layers, layers);
  EXPECT_EQ(parse_network(spec.text()), spec);
}

TEST(NetworkSpec, ReadsLayersOfImages) {
  const auto spec = parse_network(
      "batchnorm,batchnorm(0.001),batchnorm(momentum=0.3),maxpool(2),maxpool(3,2),avgpool(3,stride=2,padding="
      "1),"
      "globalavgpool,linear(10)");
  const std::vector<Layer> layers{BatchNorm{},
                                  BatchNorm{.eps = 0.001},
                                  BatchNorm{.momentum = 0.3},
                                  Pool{.kernel = 2, .stride = 2},
                                  Pool{.kernel = 3, .stride = 2},
                                  Pool{.kind = PoolKind::kAverage, .kernel = 3, .stride = 2, .padding = 1},
                                  Pool{.kind = PoolKind::kAverage, .is_global = true},
                                  Linear{10}};
  EXPECT_EQ(spec.layers, layers);
  EXPECT_EQ(spec.text(),
            "batchnorm,batchnorm(0.001,0.1),batchnorm(1e-05,0.3),maxpool(2),maxpool(3,2),avgpool(3,2,1),"
            "globalavgpool,linear(10)");
  EXPECT_EQ(parse_network(spec.text()), spec);
}

TEST(NetworkSpec, ReadsConvolutions) {
  const auto spec = parse_network(
      "conv(32,3),conv(64,3,2,1,1,4,false),conv(8, kernel_size=5, padding=2, bias=false),conv(8,3,dilation=2,"
      "groups=8),linear(10)");
  const std::vector<Layer> layers{
      Conv{.out_channels = 32, .kernel = 3},
      Conv{.out_channels = 64, .kernel = 3, .stride = 2, .padding = 1, .groups = 4, .bias = false},
      Conv{.out_channels = 8, .kernel = 5, .padding = 2, .bias = false},
      Conv{.out_channels = 8, .kernel = 3, .dilation = 2, .groups = 8}, Linear{10}};
  EXPECT_EQ(spec.layers, layers);
  EXPECT_EQ(spec.text(),
            "conv(32,3),conv(64,3,stride=2,padding=1,groups=4,bias=false),conv(8,5,padding=2,bias=false),"
            "conv(8,3,dilation=2,groups=8),linear(10)");
  EXPECT_EQ(parse_network(spec.text()), spec);
}

TEST(NetworkSpec, ReadsInitializationsOfConvolutions) {
  const auto spec =
      parse_network("conv(8,2,init=whiten),conv(8,3,1,0,1,1,true,dirac),conv(8,3,init=default),linear(10)");
  EXPECT_EQ(std::get<Conv>(spec.layers[1]).init, ConvInit::kDirac);
  EXPECT_EQ(spec.text(), "conv(8,2,init=whiten),conv(8,3,init=dirac),conv(8,3),linear(10)");
  EXPECT_EQ(parse_network(spec.text()), spec);
}

TEST(NetworkSpec, ReadsPaddingThatKeepsTheSize) {
  const auto spec = parse_network("conv(8,4,padding=same),conv(8,3,1,same,2,bias=false),linear(10)");
  const std::vector<Layer> layers{
      Conv{.out_channels = 8, .kernel = 4, .same_padding = true},
      Conv{.out_channels = 8, .kernel = 3, .dilation = 2, .bias = false, .same_padding = true}, Linear{10}};
  EXPECT_EQ(spec.layers, layers);
  EXPECT_EQ(spec.text(), "conv(8,4,padding=same),conv(8,3,padding=same,dilation=2,bias=false),linear(10)");
  EXPECT_EQ(parse_network(spec.text()), spec);
}

TEST(NetworkSpec, ReadsResidualBlocks) {
  const auto spec =
      parse_network("conv(8,3), residual( conv(8,3,padding=1), residual(relu) ,dropout),linear(10)");
  const std::vector<Layer> layers{Conv{.out_channels = 8, .kernel = 3},
                                  ResidualBegin{},
                                  Conv{.out_channels = 8, .kernel = 3, .padding = 1},
                                  ResidualBegin{},
                                  Activation{},
                                  ResidualEnd{},
                                  Dropout{},
                                  ResidualEnd{},
                                  Linear{10}};
  EXPECT_EQ(spec.layers, layers);
  EXPECT_EQ(spec.text(), "conv(8,3),residual(conv(8,3,padding=1),residual(relu),dropout(0.5)),linear(10)");
  EXPECT_EQ(parse_network(spec.text()), spec);
}

// 100,000 blocks, as a configuration can hold, overflowed the stack.
TEST(NetworkSpec, ReadsResidualBlocksUpToADepth) {
  const auto nested = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += "residual(";
    return text + "relu" + std::string(static_cast<std::size_t>(depth), ')');
  };
  EXPECT_EQ(parse_network(nested(16)).text(), nested(16));
  for (const int depth : {17, 100'000}) {
    EXPECT_THAT([&] { parse_network(nested(depth)); }, testing::ThrowsMessage<UsageError>(testing::HasSubstr(
                                                           "residual blocks are nested more than 16 deep")))
        << depth;
  }
}

TEST(NetworkSpec, NamesTheLayerThatItCannotRead) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"linear(5),tanhh",
       "layer 2, 'tanhh': unknown layer, expected one of linear, conv, batchnorm, dropout, flatten, "
       "maxpool, avgpool, globalavgpool, residual, relu, leakyrelu, elu, gelu, silu, sigmoid, tanh"},
      {"conv(3)", "no kernel_size given, expected a number from 1 to 255"},
      {"conv(1000000000,3)", "out_channels is '1000000000', expected a number from 1 to 16777216"},
      {"conv(8,3,init=ones)", "init is 'ones', expected one of default, dirac, whiten"},
      {"conv(8,3,1,0,1,1,maybe)", "bias is 'maybe', expected true or false"},
      {"conv(8,3,stride=2,padding=same)", "padding=same requires stride 1, not 2, as in nn.Conv2d"},
      {"conv(8,3,padding=valid)", "padding is 'valid', expected a number from 0 to 255 or same"},
      {"conv(8,3,padding=256)", "padding is '256', expected a number from 0 to 255 or same"},
      {"residual", "layer 1, 'residual': expected layers in parentheses"},
      {"residual()", "expected layers in parentheses"},
      {"relu,residual(relu,conv(3))",
       "layer 2, 'residual(relu,conv(3))': layer 2, 'conv(3)': no kernel_size"},
      {"maxpool", "no kernel_size given, expected a number from 1 to 255"},
      {"maxpool(2,0)", "stride is '0', expected a number from 1 to 255"},
      {"globalavgpool(2)", "unexpected argument '2'"},
      {"batchnorm(eps=-1)", "eps is '-1', expected a number from 0 to 1"},
      {"linear(5),,relu", "layer 2, '': unknown layer"},
      {"linear(5", "layer 1, 'linear(5': expected a closing parenthesis"},
      {"linear()", "layer 1, 'linear()': no outputs given, expected a number from 1 to 16777216"},
      {"linear(0)", "outputs is '0'"},
      {"linear(16777217)", "outputs is '16777217'"},
      {"linear(5,6)", "bias is '6', expected true or false"},
      {"linear(5,true,7)", "unexpected argument '7'"},
      {"linear(5,width=6)", "unexpected argument 'width'"},
      {"linear(bias=false,5)", "'5' is a positional argument after a named one"},
      {"dropout(1)", "p is '1', expected a number from 0 to 0.99"},
      {"dropout(nan)", "p is 'nan'"},
      {"elu(-1)", "alpha is '-1', expected a number from 0"},
      {"relu(1)", "unexpected argument '1'"},
  };
  for (const auto& [text, message] : cases) {
    EXPECT_THAT([&text = text] { parse_network(text); },
                testing::ThrowsMessage<UsageError>(testing::HasSubstr(message)))
        << text;
  }
}

TEST(NetworkSpec, PutsDropoutAfterEachActivation) {
  const auto spec = multilayer_perceptron({4, 3, 3, 2});
  const std::vector<Layer> layers{Linear{3},    Activation{},   Dropout{0.25F}, Linear{3},
                                  Activation{}, Dropout{0.25F}, Linear{2}};
  EXPECT_EQ(with_dropout(spec, 0.25F).layers, layers);
  EXPECT_EQ(with_dropout(spec, 0), spec);
}

}  // namespace
}  // namespace warpfit
