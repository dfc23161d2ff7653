#include "host/cli/config.hpp"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "host/base/error.hpp"
#include "host/cli/parse.hpp"
#include "host/cli/training_setup.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;

TrainCommand parse_train(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), {"warpfit", "train"});
  return std::get<TrainCommand>(parse_command_line(static_cast<int>(arguments.size()), arguments.data()));
}

std::string config_of(TrainCommand command) { return config_text(options_of(command)); }

std::string error_message(std::string_view text) {
  TrainCommand command;
  try {
    apply_config(text, "c.toml", options_of(command));
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Config, SetsEveryOptionAsItWas) {
  const auto asked = parse_train({"--data",
                                  "a \"b\"\\\n\x7f",
                                  "--network",
                                  "4-3-2",
                                  "--epochs",
                                  "3",
                                  "--shuffle",
                                  "--seed",
                                  "18446744073709551615",
                                  "--lr",
                                  "1e-10",
                                  "--betas",
                                  "0.5,0.25",
                                  "--optimizer",
                                  "adamw",
                                  "--amsgrad",
                                  "--weight-decay",
                                  "0.1",
                                  "--schedule",
                                  "multistep",
                                  "--milestones",
                                  "2,5",
                                  "--dropout",
                                  "0.1",
                                  "--threads",
                                  "2",
                                  "--label-smoothing",
                                  "0.05",
                                  "--loss",
                                  "mse",
                                  "--profile-epochs",
                                  "2-3"});
  TrainCommand read;
  apply_config(config_of(asked), "c.toml", options_of(read));
  EXPECT_EQ(config_of(read), config_of(asked));
  EXPECT_EQ(read.run.data.folder, asked.run.data.folder);
  EXPECT_EQ(read.run.training.seed, 18446744073709551615U);
  EXPECT_EQ(read.optimizer.rate, 1e-10);
  EXPECT_EQ(read.optimizer.betas, (std::pair{0.5, 0.25}));
  EXPECT_EQ(read.schedule.milestones, (std::vector<std::int64_t>{2, 5}));
  EXPECT_TRUE(read.run.training.shuffle);
  EXPECT_EQ(read.run.dropout, 0.1F);
  EXPECT_EQ(read.device.threads, 2);
}

// A path may contain any byte except NUL.
TEST(Config, KeepsTextsOfAnyBytes) {
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  const std::vector<std::string> texts{all,    "d\xffx",       "100%FF",           "\xff%41 \"", "\xc3\xa4",
                                       "\xc3", "\xed\xa0\x80", "\U0001f600\u0085", "\r\n\t",     "{ a = 1 }"};
  TrainCommand table;
  int fields = 0;
  for (const auto& option : options_of(table)) {
    if (!option.in_config || option.is_number || option.is_switch()) continue;
    for (const auto& text : texts) {
      TrainCommand asked;
      TrainCommand read;
      const auto named = [&](const Option& other) { return other.flag == option.flag; };
      const auto given = options_of(asked);
      try {
        std::ranges::find_if(given, named)->set(text);
      } catch (const UsageError&) {
        continue;  // does not take free text
      }
      ++fields;
      apply_config(config_of(asked), "c.toml", options_of(read));
      const auto kept = options_of(read);
      EXPECT_EQ(std::ranges::find_if(kept, named)->get(), text) << option.flag;
    }
  }
  EXPECT_GE(fields, 9 * std::ssize(texts));
}

TEST(Config, KeepsTheEmptyNameOfAModule) {
  const auto asked = parse_train({"--names", ""});
  TrainCommand read;
  apply_config(config_of(asked), "c.toml", options_of(read));
  EXPECT_EQ(read.names, "");
}

TEST(Config, KeepsTheNamesThatFollowFromTheNetwork) {
  for (const auto& [network, names] :
       {std::pair("784-10", "linear_relu_stack"), {"linear(10)", ""}, {"", "linear_relu_stack"}}) {
    const auto asked = network[0] == 0 ? parse_train({}) : parse_train({"--network", network});
    TrainCommand read;
    apply_config(config_of(asked), "c.toml", options_of(read));
    EXPECT_EQ(read.names, names) << network;
    EXPECT_EQ(run_options_of(asked).names, names) << network;
  }
}

TEST(Config, ReadsAndWritesAllDigitsOfANumber) {
  for (const double rate : {0.1234567890123456789, 1.0 / 3, 5e-324, 1.7976931348623157e308, 1e22, 0.1}) {
    TrainCommand read;
    apply_config(fmt::format("lr = {:.17g}", rate), "c.toml", options_of(read));
    EXPECT_EQ(read.optimizer.rate, rate);
    TrainCommand again;
    apply_config(config_of(read), "c.toml", options_of(again));
    EXPECT_EQ(again.optimizer.rate, rate);
  }
}

TEST(Config, OfTheDefaultsSetsTheDefaults) {
  TrainCommand read;
  apply_config(config_of({}), "c.toml", options_of(read));
  EXPECT_EQ(config_of(read), config_of({}));
}

// In TOML, -0 is an integer and has no sign.
TEST(Config, HoldsNoNegativeZero) {
  TrainCommand command;
  apply_config("lr = -0.0", "c.toml", options_of(command));
  const auto text = config_of(command);
  EXPECT_THAT(text, HasSubstr("lr = 0\n"));
  TrainCommand again;
  apply_config(text, "c.toml", options_of(again));
  EXPECT_EQ(config_of(again), text);
}

TEST(Config, IsReadableToml) {
  const auto text = config_of(parse_train({"--lr", "0.5", "--shuffle"}));
  EXPECT_THAT(text, HasSubstr("# Training\n"));
  EXPECT_THAT(text, HasSubstr("epochs = 10\n"));
  EXPECT_THAT(text, HasSubstr("shuffle = true\n"));
  EXPECT_THAT(text, HasSubstr("lr = 0.5\n"));
  EXPECT_THAT(text, HasSubstr("optimizer = \"sgd\"\n"));
  EXPECT_THAT(text, HasSubstr("nesterov = false\n"));
}

TEST(Config, LetsFlagsOverrideTheFile) {
  const TemporaryFolder folder;
  const std::string text = "epochs = 3\nlr = 0.5\n";
  const auto path = folder.add("c.toml", Bytes(text.begin(), text.end()));
  const auto command = parse_train({"--epochs", "7", "--config", path.c_str()});
  EXPECT_EQ(command.run.training.epochs, 7);
  EXPECT_EQ(command.optimizer.rate, 0.5);
}

TEST(Config, RefusesWhatItDoesNotKnowNamingTheLine) {
  EXPECT_THAT(error_message("epochs = 3\n\nephocs = 4"),
              HasSubstr("c.toml, line 3: unknown option ephocs: did you mean epochs?"));
  EXPECT_THAT(error_message("epochs = 0"),
              HasSubstr("c.toml, line 1: --epochs 0: expected a number, 1 to 1000000000"));
  EXPECT_THAT(error_message("epochs = 2.5"), HasSubstr("c.toml, line 1: --epochs 2.5"));
  EXPECT_THAT(error_message("epochs = nan"), HasSubstr("--epochs nan"));
  EXPECT_THAT(error_message("lr = inf"), HasSubstr("--lr inf"));
  EXPECT_THAT(error_message("epochs = true"), HasSubstr("line 1: --epochs: expected a number"));
  EXPECT_THAT(error_message("shuffle = 1"), HasSubstr("line 1: --shuffle: expected true or false"));
  EXPECT_THAT(error_message("optimizer = 3"), HasSubstr("line 1: --optimizer: expected a string"));
  EXPECT_THAT(error_message("optimizer = \"sdg\""),
              HasSubstr("line 1: --optimizer sdg: expected one of sgd"));
  EXPECT_THAT(error_message("epochs = [1]"), HasSubstr("line 1: --epochs"));
  EXPECT_THAT(error_message("[training]\nepochs = 3"), HasSubstr("unknown option training"));
  EXPECT_THAT(error_message("epochs = 3\nepochs = 4"), HasSubstr("c.toml, line 2"));
  EXPECT_THAT(error_message("epochs = "), HasSubstr("c.toml, line 1"));
  EXPECT_THAT(error_message("config = \"c.toml\""), HasSubstr("unknown option config"));
  EXPECT_THAT(error_message(std::string_view("epochs = 3\n\0", 12)), HasSubstr("c.toml, line 2"));
  EXPECT_THAT(error_message("epochs = 3 \xff"), HasSubstr("c.toml, line 1"));
}

TEST(Config, RefusesWhatIsNoText) {
  EXPECT_THAT(error_message(R"(data = "a\u0000b")"),
              HasSubstr("c.toml, line 1: --data: expected a string without NUL"));
  EXPECT_THAT(error_message(R"(data = { percent-encoded = "a%00b" })"),
              HasSubstr("--data: expected a string without NUL"));
  EXPECT_THAT(error_message(R"(optimizer = "sgd\u0000")"),
              HasSubstr("--optimizer: expected a string without NUL"));
  for (const auto* value : {"%", "%4", "%zz", "%+4", "%4z", "a%"}) {
    EXPECT_THAT(error_message(fmt::format("data = {{ percent-encoded = \"{}\" }}", value)),
                HasSubstr("c.toml, line 1: --data: expected a string in quotes"))
        << value;
  }
  for (const auto* table :
       {"{}", "{ a = 'b' }", "{ percent-encoded = 'b', c = 'd' }", "{ percent-encoded = 3 }"}) {
    EXPECT_THAT(error_message(fmt::format("data = {}", table)),
                HasSubstr("line 1: --data: expected a string in quotes"))
        << table;
  }
  EXPECT_EQ(error_message(R"(data = { percent-encoded = "a%41%ff" })"), "accepted");
}

TEST(Config, RefusesFilesThatAreNone) {
  TrainCommand command;
  const auto options = options_of(command);
  EXPECT_THROW(apply_config_file("/nowhere/c.toml", options), IoError);
  const TemporaryFolder folder;
  EXPECT_THROW(apply_config_file(folder.add("c.toml", Bytes((1 << 20) + 1, ' ')), options), UsageError);
}

}  // namespace
}  // namespace warpfit::test
