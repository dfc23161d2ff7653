// Networks as TOML tables [[layer]], in a configuration and in a file of their own for --network.
#include "host/cli/network_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "host/base/error.hpp"
#include "host/cli/config.hpp"
#include "host/files/safetensors_writer.hpp"
#include "host/model/model_file.hpp"
#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;

const std::string kTables = R"(
[[layer]]
type = "conv"
out_channels = 4
kernel_size = 3
padding = 1
bias = false
[[layer]]
type = "batchnorm"
momentum = 0.25
eps = 1e-3
[[layer]]
type = "residual"
  [[layer.layer]]
  type = "relu"
  [[layer.layer]]
  type = "residual"
    [[layer.layer.layer]]
    type = "conv"
    kernel_size = 1
    out_channels = 4
[[layer]]
type = "maxpool"
kernel_size = 4
[[layer]]
type = "linear"
outputs = 10
)";
const std::string kText =
    "conv(out_channels=4,kernel_size=3,padding=1,bias=false),batchnorm(momentum=0.25,eps=0.001),"
    "residual(relu,residual(conv(kernel_size=1,out_channels=4))),maxpool(kernel_size=4),linear(outputs=10)";

// What a configuration sets as --network, or the message of its error.
std::string network_of(std::string_view config) {
  TrainCommand command;
  try {
    apply_config(config, "c.toml", options_of(command));
  } catch (const UsageError& error) {
    return error.what();
  }
  return command.run.network;
}

class NetworkFile : public testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  std::string add(const std::string& name, const std::string& text) {
    return folder_.add(name, Bytes(text.begin(), text.end()));
  }

  // Trains on the sample data and returns the outcome; the model is saved as `name`.
  Outcome train(const std::string& name, const std::vector<std::string>& more) {
    std::vector<std::string> command{
        "train",  "--data",  sample_folder().string(), "--device", "cpu", "--threads", "1", "--epochs", "1",
        "--save", path(name)};
    command.insert(command.end(), more.begin(), more.end());
    return run_warpfit(command);
  }

  TemporaryFolder folder_;
};

TEST(LayerTables, AreTheTextOfTheNetwork) {
  EXPECT_EQ(network_of(kTables), kText);
  EXPECT_EQ(network_of("layer = [{type = 'linear', outputs = 0x10}, {type = \"relu\"}]"),
            "linear(outputs=16),relu");
  EXPECT_EQ(network_of("epochs = 3\n[[layer]]\ntype = 'dropout'\np = 0.0"), "dropout(p=0.0)");
  EXPECT_EQ(network_of("layer = [{type = 'conv', padding = 'same', kernel_size = 2, out_channels = 3}]"),
            "conv(padding=same,kernel_size=2,out_channels=3)");
}

TEST(LayerTables, AreRefusedNamingTheLine) {
  const std::string linear = "[[layer]]\ntype = 'linear'\n";
  const std::vector<std::pair<std::string, std::string>> cases{
      {linear + "outputs = 0", "c.toml, line 1: layer 1: 'linear(outputs=0)': outputs is '0', expected"},
      {"\n" + linear + "outputs = 4\n" + linear,
       "c.toml, line 5: layer 2: 'linear': no outputs given, expected a number from 1 to 16777216"},
      {linear + "outputs = 4\nwidth = 3",
       "line 1: layer 1: 'linear(outputs=4,width=3)': unexpected argument"},
      {linear + "outputs = 1000000000", "outputs is '1000000000', expected a number from 1 to 16777216"},
      {linear + "outputs = 9223372036854775808", "c.toml, line 3: "},
      {linear + "outputs = 3.0", "outputs is '3.0', expected a number"},
      {linear + "outputs = true", "outputs is 'true', expected a number"},
      {linear + "outputs = 'many'", "outputs is 'many', expected a number"},
      {linear + "outputs = '3'", "line 3: layer 1: outputs: expected a number, true, false or a name"},
      {linear + "outputs = [3]", "line 3: layer 1: outputs: expected a number, true, false or a name"},
      {linear + "outputs = 1979-05-27", "line 3: layer 1: outputs: expected a number, true, false or a name"},
      {linear + "outputs = 3\nbias = 1", "bias is '1', expected true or false"},
      {linear + "outputs = 3\nbias = 'true'", "line 4: layer 1: bias: expected a number, true, false or"},
      {linear + "outputs = 3\nbias = 'true),relu(a'", "line 4: layer 1: bias: expected a number"},
      {linear + "outputs = 3\n'bias=false,x' = 1", "line 4: layer 1: unexpected argument 'bias=false,x'"},
      {"[[layer]]\ntype = 'dropout'\np = nan", "p is 'nan', expected a number from 0 to 0.99"},
      {"[[layer]]\ntype = 'dropout'\np = -inf", "p is '-inf', expected a number from 0 to 0.99"},
      {"[[layer]]\ntype = 'tanhh'", "line 1: layer 1: 'tanhh': unknown layer, expected one of linear, conv"},
      {"[[layer]]\ntype = 'linear(3),relu'", "line 2: layer 1: expected the type of a layer, as in type"},
      {"[[layer]]\ntype = 3", "line 2: layer 1: expected the type of a layer, as in type"},
      {"[[layer]]\noutputs = 3", "line 1: layer 1: no type given, as in type = \"linear\""},
      {"[[layer]]\ntype = 'relu'\n[[layer.layer]]\ntype = 'relu'",
       "line 3: layer 1: relu has no layers of its own, as residual has"},
      {"[[layer]]\ntype = 'residual'",
       "line 1: layer 1: residual has no layers, expected tables [[layer.layer]]"},
      {"[[layer]]\ntype = 'residual'\nlayer = 'relu'", "line 3: layer is not a list, expected tables"},
      {"[[layer]]\ntype = 'residual'\nlayer = []", "line 3: layer is empty, expected tables"},
      {"[[layer]]\ntype = 'residual'\nwidth = 3\n[[layer.layer]]\ntype = 'relu'",
       "line 1: layer 1: residual: unexpected argument 'width=3'"},
      {"[[layer]]\ntype = 'residual'\n[[layer.layer]]\ntype = 'relu'\n[[layer.layer]]\ntype = 'conv'",
       "line 5: layer 2: 'conv': no out_channels given"},
      {"layer = 'relu'", "c.toml, line 1: layer is not a list, expected tables [[layer]]"},
      {"[layer]\ntype = 'relu'", "c.toml, line 1: layer is not a list, expected tables [[layer]]"},
      {"\nlayer = []", "c.toml, line 2: layer is empty, expected tables [[layer]]"},
      {"layer = [3]", "c.toml, line 1: layer 1: expected a table, as in [[layer]]"},
      {"network = '784-10'\n\n" + linear + "outputs = 3",
       "c.toml, line 3: the file has both network and [[layer]], expected only one of them"},
      {"[[layers]]\ntype = 'relu'", "c.toml, line 1: unknown option layers: did you mean layer?"},
  };
  for (const auto& [config, message] : cases) EXPECT_THAT(network_of(config), HasSubstr(message)) << config;
}

// As many as text may have, and one more.
TEST(LayerTables, AreNestedUpToALimit) {
  const auto nested = [](int depth) {
    std::string tables;
    std::string name = "layer";
    for (int i = 0; i < depth; ++i, name += ".layer") tables += "[[" + name + "]]\ntype = 'residual'\n";
    return tables + "[[" + name + "]]\ntype = 'relu'";
  };
  EXPECT_THAT(network_of(nested(16)), testing::StartsWith("residual(residual("));
  EXPECT_THAT(network_of(nested(17)), HasSubstr("line 35: residual blocks are nested more than 16 deep"));
}

// Such keys overflowed the stack.
TEST(LayerTables, HaveKeysOfFewParts) {
  constexpr int kParts = 200'000;
  std::string deep = "layer";
  for (int i = 0; i < kParts; ++i) deep += ".layer";
  const std::string message = "a key has more than 32 dots";
  EXPECT_EQ(network_of("\n[[" + deep + "]]"), "c.toml, line 2: " + message);
  for (const auto* before : {"", "epochs = 3 # ' \"\n", "data = \"\"\"a\n\"\"\"\n", "data = '''a\\''''' \n",
                             "data = \"\\\"\"\n", "x = {data = '''\n''', ", "x = {data = '''a'''', "}) {
    EXPECT_THAT(network_of(before + deep + " = 1"), HasSubstr(message)) << before;
  }
  // Dots in strings and comments are no parts of keys.
  const std::string dots(100, '.');
  const auto text = "data = \"" + dots + "\\\"" + dots + "\" # " + dots + "\nnetwork = '''" + dots + "'\n'" +
                    dots + "'''\nlr = 0.5";
  EXPECT_EQ(network_of(text), dots + "'\n'" + dots);
}

TEST(LayerTables, MayBeManyOnALine) {
  std::string list, text;
  for (int i = 0; i < 40; ++i) {
    list += R"({type="dropout",p=0.1},)";
    text += "dropout(p=0.1),";
  }
  EXPECT_EQ(network_of("layer = [" + list + R"({type="linear",outputs=3}])"), text + "linear(outputs=3)");
}

TEST_F(NetworkFile, IsTheTextOfItsLayers) {
  EXPECT_EQ(network_text("784-10"), "784-10");
  EXPECT_EQ(network_text(add("n.toml", kTables)), kText);
  const auto refused = [&](const std::string& text) {
    try {
      return network_text(add("bad.toml", text));
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
  };
  EXPECT_EQ(refused("\nepochs = 3\n" + kTables),
            path("bad.toml") + ", line 2: unexpected key epochs, expected only tables [[layer]]");
  EXPECT_EQ(refused("# nothing\n"), path("bad.toml") + ": no tables [[layer]], expected one or more");
  EXPECT_THAT(refused("[[layer]]\ntype = 'relu'\nx = 1"),
              HasSubstr("bad.toml, line 1: layer 1: 'relu(x=1)'"));
  EXPECT_THAT(refused("[[layer]"), HasSubstr("bad.toml, line 1: "));
  EXPECT_THROW(network_text(path("missing.toml")), IoError);
  EXPECT_THROW(network_text(".toml"), IoError);
}

TEST_F(NetworkFile, TrainsTheNetworkOfTheText) {
  ASSERT_EQ(train("text", {"--network", kText}).exit_code, 0);
  const auto file = add("n.toml", kTables);
  const auto by_file = train("file", {"--network", file, "--run-dir", path("run")});
  ASSERT_EQ(by_file.exit_code, 0) << by_file.error;
  EXPECT_EQ(read_file(path("file")), read_file(path("text")));
  const auto config = add("c.toml", "lr = 0.001\n" + kTables);
  const auto by_config = train("config", {"--config", config});
  ASSERT_EQ(by_config.exit_code, 0) << by_config.error;
  EXPECT_EQ(read_file(path("config")), read_file(path("text")));
  ASSERT_EQ(train("flag", {"--config", config, "--network", "784-10"}).exit_code, 0);
  EXPECT_EQ(load_model(path("flag")).info.network.text(), "784-10");
  // The run does not need the file any more.
  std::filesystem::remove(file);
  const auto resumed = run_warpfit({"resume", path("run"), "--epochs", "2"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.error;
  const auto kept = read_file(path("run/config.toml"));
  EXPECT_THAT(std::string(kept.begin(), kept.end()), HasSubstr("network = \"" + kText + "\""));
}

TEST_F(NetworkFile, IsReadByEveryCommand) {
  const auto file = add("n.toml",
                        "[[layer]]\ntype = 'conv'\nout_channels = 3\nkernel_size = 5\nstride = 3\n"
                        "[[layer]]\ntype = 'relu'\n[[layer]]\ntype = 'linear'\noutputs = 10");
  ASSERT_EQ(train("model", {"--network", file}).exit_code, 0);
  const auto model = load_model(path("model"));
  write_safetensors(path("dict"), Metadata{}, parameter_tensors(model.info, model.parameters));
  const auto data = sample_folder().string();
  const auto images = (sample_folder() / "t10k-images-idx3-ubyte.gz").string();
  for (auto command : std::vector<std::vector<std::string>>{{"eval", path("dict"), "--data", data},
                                                            {"predict", path("dict"), images}}) {
    command.insert(command.end(), {"--device", "cpu", "--quiet", "--network", file});
    const auto by_file = output_of(command);
    command.back() = "conv(3,5,stride=3),relu,linear(10)";
    EXPECT_EQ(by_file, output_of(command));
    command.back() = path("missing.toml");
    EXPECT_EQ(run_warpfit(command).exit_code, 5);
  }
  const auto measured = run_warpfit(
      {"bench", "--data", data, "--device", "cpu", "--network", file, "--steps", "1", "--repeats", "1"});
  EXPECT_EQ(measured.exit_code, 0) << measured.error;
  const auto refused = train("none", {"--network", add("bad.toml", "[[layer]]\ntype = 'linear'")});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.error, HasSubstr("bad.toml, line 1: layer 1: 'linear': no outputs given"));
  EXPECT_EQ(train("none", {"--network", path("missing.toml")}).exit_code, 5);
}

}  // namespace
}  // namespace warpfit::test
