// How the program prints text from others: from files, paths, configurations and command lines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "host/base/utf8.hpp"
#include "host/files/safetensors_file.hpp"
#include "host/files/safetensors_writer.hpp"
#include "tests/support/program.hpp"
#include "tests/support/sanitizers.hpp"
#include "tests/support/saved_model.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;

// Sets the title of the window, rings the bell, clears the screen, and is not valid UTF-8.
const std::string kHostile = "\x1b]0;PWNED\x07\x1b[2J\xc2\x9b\xff";

constexpr std::size_t kLong = kSanitized ? 50'000 : 1'000'000;  // bytes, or layers

struct Case {
  std::string name;
  std::vector<std::string> arguments;
  int exit_code = 0;
  std::vector<std::string> parts{};  // of the printed text
};

class Messages : public testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  // A model with this metadata value.
  std::string model_with(const std::string& name, const std::string& key, const std::string& value) {
    const auto model = brightest_pixel();
    auto metadata = metadata_of(model.info);
    metadata[key] = value;
    write_safetensors(path(name), metadata, parameter_tensors(model.info, model.parameters));
    return path(name);
  }

  std::string config(const std::string& name, const std::string& text) {
    return folder_.add(name, Bytes(text.begin(), text.end()));
  }

  void expect_harmless(const Case& printed) {
    SCOPED_TRACE(printed.name);
    const auto run = run_warpfit(printed.arguments);
    EXPECT_EQ(run.exit_code, printed.exit_code);
    const auto all = run.out + run.error;
    const auto is_control = [](char c) { return (c >= 0 && c < ' ' && c != '\n') || c == '\x7f'; };
    EXPECT_TRUE(std::ranges::none_of(all, is_control)) << testing::PrintToString(all.substr(0, 4000));
    EXPECT_TRUE(is_utf8(all));
    EXPECT_EQ(all.find("\u009b"), std::string::npos);
    EXPECT_LT(all.size(), 20'000U);
    for (const auto& part : printed.parts) EXPECT_THAT(all, HasSubstr(part));
  }

  TemporaryFolder folder_;
  // JSON and TOML cannot contain invalid UTF-8.
  std::string text_ = kHostile.substr(0, kHostile.size() - 1);
  std::string toml_ = R"(\u001b]0;PWNED\u0007)";
};

TEST_F(Messages, OfFilesDoNotReachTheTerminal) {
  const auto images = folder_.add("images", idx({1, 3}, {0, 0, 0}));
  const auto labels = folder_.add("labels", idx({1}, {0}));
  const auto network = "3-" + text_;
  const std::string long_network = [] {
    std::string text = "3";
    for (std::size_t i = 0; i < kLong; ++i) text += "-1";
    return text + "-x-3";
  }();
  const std::string megabyte(kLong, 'x');
  const auto on = [&](const std::string& model) {
    return std::vector<std::string>{"predict", model, images, "--device", "cpu"};
  };
  const auto train = [&](const std::string& toml) {
    return std::vector<std::string>{"train", "--config", config("c.toml", toml)};
  };
  const std::string width = "expected a number from 1 to 16777216";
  expect_harmless({"network", on(model_with("m", "warpfit.network", network)), 4, {path("m"), width}});
  expect_harmless(
      {"long network", on(model_with("m", "warpfit.network", long_network)), 4, {path("m"), width}});
  expect_harmless(
      {"layers without tensors",
       on(model_with("m", "warpfit.network", long_network.substr(0, long_network.size() - 4) + "-3")),
       4,
       {path("m"), "which its network 3-1-1"}});
  expect_harmless(
      {"output", on(model_with("m", "warpfit.output", text_)), 4, {path("m"), "logits or log_softmax"}});
  expect_harmless({"names", on(model_with("m", "warpfit.names", text_ + megabyte)), 4, {path("m"), "3-3"}});
  expect_harmless(
      {"TOML value", train("optimizer = \"" + toml_ + "\""), 2, {"c.toml, line 1", "expected one of"}});
  expect_harmless({"TOML key", train("\"" + toml_ + "\" = 1"), 2, {"c.toml, line 1", "unknown option"}});
  expect_harmless(
      {"long TOML value", train("network = \"" + megabyte + "\"\ndata = \"" + path("") + "\""), 5});
  expect_harmless(
      {"long TOML choice", train("optimizer = \"" + megabyte + "\""), 2, {"c.toml", "expected one of"}});
  expect_harmless({"long TOML key", train(megabyte + " = 1"), 2, {"c.toml, line 1", "train --help"}});
  expect_harmless({"TOML that does not parse", train("a = " + kHostile), 2, {"c.toml, line 1"}});
  expect_harmless(
      {"data", {"train", "--data", path(kHostile)}, 5, {folder_.path().string(), "\\x1b]0;PWNED\\x07"}});
  expect_harmless(
      {"option", {"train", "--optimizer", kHostile}, 2, {"--optimizer \\x1b]0;", "expected one of"}});
  expect_harmless({"flag", {"train", "--" + kHostile}, 2, {"unknown flag"}});
  expect_harmless({"command", {kHostile}, 2, {"unknown command"}});
  expect_harmless({"long option",
                   {"train", "--network", std::string(100'000, '9'), "--train-images", images,
                    "--train-labels", labels, "--test-images", images, "--test-labels", labels},
                   2,
                   {"--network 99", width}});
  for (const auto& name : {kHostile, std::string("two\nwarpfit [info] lines")}) {
    write_file(path(name), idx({1, 3}, {0, 0, 0}));
    expect_harmless({"file name", {"inspect", path(name)}, 0, {folder_.path().string(), "IDX, samples"}});
    write_file(path(name), Bytes{1, 2, 3});
    expect_harmless({"file name of an error", {"inspect", path(name)}, 3, {"expected IDX"}});
  }
}

TEST_F(Messages, OfACheckpointsDataDoNotReachTheTerminal) {
  ASSERT_EQ(run_warpfit({"train", "--data", sample_folder().string(), "--network", "784-4-10", "--epochs",
                         "1", "--device", "cpu", "--run-dir", path("run")})
                .exit_code,
            0);
  const auto checkpoint = std::filesystem::directory_iterator(path("run/checkpoints"))->path().string();
  const SafetensorsFile file(checkpoint);
  auto metadata = file.metadata();
  metadata["warpfit.data"] = text_ + std::string(1'000'000, 'x');
  std::vector<std::vector<std::byte>> values;
  std::vector<TensorView> tensors;
  for (const auto& tensor : file.tensors()) {
    file.read(tensor, values.emplace_back(tensor.size));
    tensors.push_back({tensor.name, tensor.dtype, tensor.shape, values.back()});
  }
  write_safetensors(checkpoint, metadata, tensors);
  expect_harmless({"data",
                   {"resume", path("run")},
                   4,
                   {"checkpoint of another data set", "but the data set is now 300x28x28"}});
}

TEST_F(Messages, CannotImitateOtherMessages) {
  const auto run = run_warpfit({"train", "--optimizer", "x\nwarpfit [info] saved"});
  EXPECT_THAT(run.error, HasSubstr("--optimizer x\n  warpfit [info] saved: expected one of"));
}

}  // namespace
}  // namespace warpfit::test
