#include "host/cli/parse.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

Command parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "warpfit");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

TrainCommand parse_train(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "train");
  return std::get<TrainCommand>(parse(std::move(arguments)));
}

std::string refusal(std::vector<const char*> arguments) {
  try {
    parse(std::move(arguments));
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(CommandLine, HasTheTutorialsDefaults) {
  const auto command = parse_train({"--data", "x"});
  EXPECT_EQ(command.data, "x");
  EXPECT_EQ(command.network, "");
  EXPECT_EQ(command.training.epochs, 10);
  EXPECT_EQ(command.training.batch_size, 64);
  EXPECT_EQ(command.training.learning_rate, 1e-3);
  EXPECT_EQ(command.training.seed, 0U);
  EXPECT_FALSE(command.training.shuffle);
  EXPECT_EQ(command.training.log_every, 100);
  EXPECT_EQ(command.device, "auto");
  EXPECT_EQ(command.threads, 0);
  EXPECT_FALSE(command.quiet);
}

TEST(CommandLine, ReadsEveryFlag) {
  const auto command = parse_train({"--data=d",    "--train-images",
                                    "a",           "--train-labels",
                                    "b",           "--test-images",
                                    "c",           "--test-labels",
                                    "e",           "--network",
                                    "4-2",         "--epochs",
                                    "3",           "--batch-size",
                                    "7",           "--lr",
                                    "0.5",         "--shuffle",
                                    "--seed",      "18446744073709551615",
                                    "--device",    "cpu",
                                    "--threads",   "2",
                                    "--log-every", "9",
                                    "--quiet"});
  EXPECT_EQ(command.files.train_images + command.files.train_labels, "ab");
  EXPECT_EQ(command.files.test_images + command.files.test_labels, "ce");
  EXPECT_EQ(command.network, "4-2");
  EXPECT_EQ(command.training.epochs, 3);
  EXPECT_EQ(command.training.batch_size, 7);
  EXPECT_EQ(command.training.learning_rate, 0.5);
  EXPECT_TRUE(command.training.shuffle);
  EXPECT_EQ(command.training.seed, 18446744073709551615U);
  EXPECT_EQ(command.device, "cpu");
  EXPECT_EQ(command.threads, 2);
  EXPECT_EQ(command.training.log_every, 9);
  EXPECT_TRUE(command.quiet);
}

struct Refused {
  std::vector<const char*> arguments;
  const char* message;
};

TEST(CommandLine, RefusesValuesOutOfRangeNamingThem) {
  const std::vector<Refused> cases{
      {{"train", "--batch-size", "0"}, "--batch-size 0: expected a number, 1 to 1000000000"},
      {{"train", "--epochs", "-1"}, "--epochs -1: expected a number, 1 to"},
      {{"train", "--epochs", "1x"}, "--epochs 1x"},
      {{"train", "--epochs", " 1"}, "--epochs  1"},
      {{"train", "--epochs", "1e3"}, "--epochs 1e3"},
      {{"train", "--epochs", "99999999999999999999"}, "--epochs 99999999999999999999"},
      {{"train", "--epochs="}, "--epochs"},
      {{"train", "--lr", "nan"}, "--lr nan: expected a number, 0 or more"},
      {{"train", "--lr", "inf"}, "--lr inf"},
      {{"train", "--lr", "-0.1"}, "--lr -0.1"},
      {{"train", "--seed", "-1"}, "--seed -1"},
      {{"train", "--threads", "0"}, "--threads 0"},
      {{"train", "--log-every", "0"}, "--log-every 0"},
  };
  for (const auto& refused : cases) {
    const auto message = refusal(refused.arguments);
    EXPECT_NE(message.find(refused.message), std::string::npos) << message;
  }
}

TEST(CommandLine, NamesTheNearestKnownWord) {
  const std::vector<Refused> cases{
      {{"train", "--epoch", "3"}, "unknown flag --epoch: did you mean --epochs?"},
      {{"train", "--batchsize=3"}, "unknown flag --batchsize: did you mean --batch-size?"},
      {{"train", "--frobnicate"}, "unknown flag --frobnicate: see --help"},
      {{"trian"}, "unknown command trian: did you mean train?"},
      {{"--verison"}, "unknown flag --verison: did you mean --version?"},
      {{"train", "stray"}, "unexpected argument stray"},
      {{}, "no command given"},
      {{"train", "--epochs"}, "--epochs"},
      {{"train", "--epochs", "1", "--epochs", "2"}, "--epochs"},
  };
  for (const auto& refused : cases) {
    const auto message = refusal(refused.arguments);
    EXPECT_NE(message.find(refused.message), std::string::npos) << message;
    EXPECT_NE(message, "accepted");
  }
}

TEST(CommandLine, ShowsHelpAndVersion) {
  EXPECT_EQ(std::get<ShowText>(parse({"--version"})).text, "warpfit " WARPFIT_VERSION "\n");
  EXPECT_NE(std::get<ShowText>(parse({"--help"})).text.find("warpfit train --data DIR"), std::string::npos);
  const auto help = std::get<ShowText>(parse({"train", "-h"})).text;
  for (const auto& option : train_options())
    EXPECT_NE(help.find(option.flag), std::string::npos) << option.flag;
}

}  // namespace
}  // namespace warpfit
