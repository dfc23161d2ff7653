#include "host/cli/parse.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <vector>

#include "host/base/error.hpp"
#include "host/cli/optimizer_options.hpp"

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

std::string error_message(std::vector<const char*> arguments) {
  try {
    parse(std::move(arguments));
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(CommandLine, HasTheTutorialsDefaults) {
  const auto command = parse_train({"--data", "x"});
  EXPECT_EQ(command.run.data.folder, "x");
  EXPECT_EQ(command.run.network, "");
  EXPECT_EQ(command.run.training.epochs, 10);
  EXPECT_EQ(command.run.training.batch_size, 64);
  EXPECT_EQ(learning_rate_of(command.optimizer), 1e-3);
  EXPECT_TRUE(is_plain_sgd(optimizer_of(command.optimizer)));
  EXPECT_EQ(command.run.training.seed, 0U);
  EXPECT_FALSE(command.run.training.shuffle);
  EXPECT_EQ(command.run.training.log_every, 100);
  EXPECT_EQ(command.device.name, "auto");
  EXPECT_EQ(command.device.threads, std::nullopt);
  EXPECT_FALSE(command.verbosity.quiet);
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
  EXPECT_EQ(command.run.data.files.train_images + command.run.data.files.train_labels, "ab");
  EXPECT_EQ(command.run.data.files.test_images + command.run.data.files.test_labels, "ce");
  EXPECT_EQ(command.run.network, "4-2");
  EXPECT_EQ(command.run.training.epochs, 3);
  EXPECT_EQ(command.run.training.batch_size, 7);
  EXPECT_EQ(learning_rate_of(command.optimizer), 0.5);
  EXPECT_TRUE(command.run.training.shuffle);
  EXPECT_EQ(command.run.training.seed, 18446744073709551615U);
  EXPECT_EQ(command.device.name, "cpu");
  EXPECT_EQ(command.device.threads, 2);
  EXPECT_EQ(command.run.training.log_every, 9);
  EXPECT_TRUE(command.verbosity.quiet);
}

TEST(CommandLine, GivesOptimizersPyTorchsDefaults) {
  const auto optimizer = [](std::vector<const char*> arguments) {
    return optimizer_of(parse_train(std::move(arguments)).optimizer);
  };
  const auto adam = std::get<Adam>(optimizer({"--optimizer", "adam"}));
  EXPECT_EQ(adam.beta1, 0.9);
  EXPECT_EQ(adam.beta2, 0.999);
  EXPECT_EQ(adam.eps, 1e-8F);
  EXPECT_EQ(adam.weight_decay, 0.0F);
  EXPECT_FALSE(adam.decoupled);
  const auto adamw = std::get<Adam>(optimizer({"--betas", "0.5,0.25", "--optimizer", "adamw", "--amsgrad"}));
  EXPECT_EQ(adamw.beta1, 0.5);
  EXPECT_EQ(adamw.beta2, 0.25);
  EXPECT_EQ(adamw.weight_decay, 0.01F);
  EXPECT_TRUE(adamw.decoupled && adamw.amsgrad);
  const auto rmsprop =
      std::get<Rmsprop>(optimizer({"--optimizer", "rmsprop", "--momentum", "0.5", "--centered"}));
  EXPECT_EQ(rmsprop.alpha, 0.99F);
  EXPECT_EQ(rmsprop.eps, 1e-8F);
  EXPECT_EQ(rmsprop.momentum, 0.5F);
  EXPECT_TRUE(rmsprop.centered);
  EXPECT_EQ(std::get<Adagrad>(optimizer({"--optimizer", "adagrad"})).eps, 1e-10F);
  const auto sgd =
      std::get<Sgd>(optimizer({"--momentum", "0.9", "--dampening", "0.1", "--weight-decay", "0.2"}));
  EXPECT_EQ(sgd.momentum, 0.9F);
  EXPECT_EQ(sgd.dampening, 0.1F);
  EXPECT_EQ(sgd.weight_decay, 0.2F);
  EXPECT_EQ(learning_rate_of(parse_train({"--optimizer", "rmsprop"}).optimizer), 0.01);
  EXPECT_EQ(learning_rate_of(parse_train({"--optimizer", "adam"}).optimizer), 0.001);
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
      {{"train", "--betas", "0.9"}, "--betas 0.9: expected two numbers, 0 to below 1, as in 0.9,0.999"},
      {{"train", "--betas", "0.9,1"}, "--betas 0.9,1: expected two numbers"},
      {{"train", "--alpha", "1.5"}, "--alpha 1.5: expected a number, 0 to 1"},
      {{"train", "--optimizer", "lion"},
       "--optimizer lion: expected one of sgd, adam, adamw, rmsprop, adagrad, adadelta, adamax, nadam, "
       "radam, rprop, asgd"},
      {{"train", "--threads", "0"}, "--threads 0"},
      {{"train", "--class-weights", "1,-1"},
       "--class-weights 1,-1: expected a number of 0 or more for each class"},
      {{"train", "--class-weights", "1,2,"}, "--class-weights 1,2,: expected"},
      {{"train", "--class-weights", "1,nan"}, "--class-weights 1,nan: expected"},
      {{"train", "--class-weights", "balance"}, "--class-weights balance: expected"},
      {{"train", "--log-every", "0"}, "--log-every 0"},
      {{"train", "--checkpoint-every", "0"},
       "--checkpoint-every 0: expected steps or epochs, as in 500 or 2epochs"},
      {{"train", "--profile-epochs", "0"}, "--profile-epochs 0: expected epochs as in 2 or 2-3"},
      {{"train", "--profile-epochs", "3-2"}, "--profile-epochs 3-2"},
      {{"train", "--profile-epochs", "2-"}, "--profile-epochs 2-"},
      {{"train", "--checkpoint-every", "0epochs"}, "--checkpoint-every 0epochs"},
      {{"train", "--checkpoint-every", "-1"}, "--checkpoint-every -1"},
      {{"train", "--checkpoint-every", "1000000001"}, "--checkpoint-every 1000000001"},
      {{"train", "--checkpoint-every", "2 epochs"}, "--checkpoint-every 2 epochs"},
      {{"train", "--checkpoint-every", "2epocs"}, "--checkpoint-every 2epocs"},
  };
  for (const auto& refused : cases) {
    const auto message = error_message(refused.arguments);
    EXPECT_NE(message.find(refused.message), std::string::npos) << message;
  }
}

TEST(CommandLine, RefusesWhatTheOptimizerDoesNotHave) {
  const std::vector<Refused> cases{
      {{"--betas", "0.9,0.99"}, "--betas: --optimizer sgd has no such setting; it is for adam, adamw"},
      {{"--optimizer", "adam", "--momentum", "0.9"}, "--momentum: --optimizer adam has no such setting"},
      {{"--optimizer", "adagrad", "--alpha", "0.9"}, "--alpha: --optimizer adagrad has no such setting"},
      {{"--optimizer", "rmsprop", "--dampening", "0.1"}, "--dampening: --optimizer rmsprop has no such"},
      {{"--optimizer", "rmsprop", "--momentum", "0.9", "--nesterov"},
       "--nesterov: --optimizer rmsprop has no"},
      {{"--optimizer", "rprop", "--weight-decay", "0.1"}, "--weight-decay: --optimizer rprop has no such"},
      {{"--optimizer", "adamw", "--decoupled-weight-decay"}, "it is for nadam, radam"},
      {{"--optimizer", "rprop", "--etas", "0.5"},
       "--etas 0.5: expected two numbers, 0 to below 1 and 1 or more"},
      {{"--optimizer", "rprop", "--etas", "0.5,0.9"}, "--etas 0.5,0.9: expected two numbers"},
      {{"--optimizer", "rprop", "--step-sizes", "-1,2"},
       "--step-sizes -1,2: expected two numbers, 0 or more"},
      {{"--optimizer", "adam", "--rho", "0.5"},
       "--rho: --optimizer adam has no such setting; it is for adadelta"},
      {{"--optimizer", "rmsprop", "--amsgrad"}, "--amsgrad: --optimizer rmsprop has no such setting"},
      {{"--optimizer", "sgd", "--eps", "1e-8"}, "--eps: --optimizer sgd has no such setting"},
      {{"--optimizer", "adam", "--centered"}, "--centered: --optimizer adam has no such setting"},
      {{"--nesterov"}, "--nesterov: requires --momentum above 0 and no --dampening"},
      {{"--nesterov", "--momentum", "0.9", "--dampening", "0.1"}, "--nesterov: requires"},
  };
  for (const auto& refused : cases) {
    try {
      optimizer_of(parse_train(refused.arguments).optimizer);
      ADD_FAILURE() << refused.message << ": accepted";
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find(refused.message), std::string::npos) << error.what();
    }
  }
}

TEST(CommandLine, TakesTheLastOfEqualFlags) {
  const auto command =
      parse_train({"--epochs", "1", "--lr", "0.1", "--epochs", "2", "--lr=0.5", "--quiet", "--quiet"});
  EXPECT_EQ(command.run.training.epochs, 2);
  EXPECT_EQ(learning_rate_of(command.optimizer), 0.5);
  EXPECT_TRUE(command.verbosity.quiet);
}

// config.toml of runs by earlier versions contains "folded" for "fused".
TEST(CommandLine, KnowsTheFormerNameOfTheFusedUpdate) {
  EXPECT_FALSE(parse_train({"--update", "separate"}).run.training.fuse_update);
  for (const char* name : {"fused", "folded"})
    EXPECT_TRUE(parse_train({"--update", name}).run.training.fuse_update);
  EXPECT_EQ(error_message({"train", "--update", "x"}), "--update x: expected one of fused, separate");
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
      {{"train", "--network", ""}, "--network: the value is empty; give one, or leave --network out"},
      {{"eval", "x", "--network", ""}, "--network: the value is empty; give one, or leave --network out"},
      {{"predict", "x", "y", "--network", ""}, "--network: the value is empty; give one, or leave"},
      {{"bench", "--network", ""}, "--network: the value is empty; give one, or leave"},
      {{"train", "--data", "x", "--save", ""}, "--save: the value is empty"},
      {{"export", "x", "--output", ""}, "--output: the value is empty"},
  };
  for (const auto& refused : cases) {
    const auto message = error_message(refused.arguments);
    EXPECT_NE(message.find(refused.message), std::string::npos) << message;
    EXPECT_NE(message, "accepted");
  }
}

TEST(CommandLine, TakesAPositionalArgument) {
  for (const auto& arguments :
       {std::vector<const char*>{"inspect", "a b", "--images", "0"}, {"inspect", "--images=0", "a b"}}) {
    const auto command = std::get<InspectCommand>(parse(arguments));
    EXPECT_EQ(command.path, "a b");
    EXPECT_EQ(command.images, 0);
  }
  EXPECT_EQ(std::get<InspectCommand>(parse({"inspect", "x"})).images, 3);
  const std::string missing = "warpfit inspect: no FILE given; usage: warpfit inspect FILE [OPTIONS]";
  EXPECT_EQ(error_message({"inspect"}), missing);
  EXPECT_EQ(error_message({"inspect", ""}), missing);
  EXPECT_EQ(error_message({"inspect", "--images", "1"}), missing);
  EXPECT_EQ(error_message({"inspect", "a", "b"}), "unexpected argument b: see warpfit inspect --help");
  EXPECT_EQ(error_message({"inspect", "--FILE", "a"}), "unknown flag --FILE: see --help");
  EXPECT_EQ(error_message({"inspect", "a", "--images", "-1"}), "--images -1: expected a number, 0 to 1000");
}

TEST(CommandLine, ShowsHelpAndVersion) {
  EXPECT_EQ(std::get<ShowText>(parse({"--version"})).text, "warpfit " WARPFIT_VERSION "\n");
  EXPECT_NE(std::get<ShowText>(parse({"--help"})).text.find("warpfit train --data DIR"), std::string::npos);
  const auto help = std::get<ShowText>(parse({"train", "--help-all"})).text;
  std::istringstream lines(help);
  std::string words;  // with line breaks removed
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 100U) << line;
    const auto first = std::min(line.find_first_not_of(' '), line.size());
    words += (first == 25 ? " " : "\n") + line.substr(first);
  }
  TrainCommand defaults;
  for (const auto& option : options_of(defaults)) {
    EXPECT_NE(help.find(option.flag), std::string::npos) << option.flag;
    if (const auto value = option.standard(); !value.empty()) {
      EXPECT_NE(words.find(" [default: " + value + "]\n"), std::string::npos) << option.flag;
    }
  }
}

TEST(CommandLine, ShowsTheCommonOptionsOfTrainAndAllOfOtherCommands) {
  const auto help = std::get<ShowText>(parse({"train", "-h"})).text;
  for (const char* flag : {"--data DIR", "--epochs N", "--lr X", "--run-dir DIR", "--help-all"})
    EXPECT_NE(help.find(fmt::format("\n  {} ", flag)), std::string::npos) << flag;
  EXPECT_EQ(help.find("--label-smoothing"), std::string::npos);
  EXPECT_LT(std::ranges::count(help, '\n'), 50);
  TrainCommand defaults;
  EXPECT_EQ(std::ranges::count_if(options_of(defaults), &Option::is_common), 13);
  const auto other = std::get<ShowText>(parse({"predict", "--help"})).text;
  EXPECT_NE(other.find("--top-k N"), std::string::npos);
  EXPECT_EQ(other.find("--help-all"), std::string::npos);
  EXPECT_EQ(std::get<ShowText>(parse({"predict", "--help-all"})).text, other);
}

TEST(CommandLine, TakesPositionalArguments) {
  for (const auto& arguments : {std::vector<const char*>{"predict", "m", "i", "--top-k", "3"},
                                {"predict", "--top-k", "3", "m", "i"},
                                {"predict", "m", "--top-k=3", "i"}}) {
    const auto command = std::get<PredictCommand>(parse(arguments));
    EXPECT_EQ(command.model, "m");
    EXPECT_EQ(command.images, "i");
    EXPECT_EQ(command.top_k, 3);
  }
  EXPECT_NE(error_message({"predict", "m"}).find("no IMAGES given"), std::string::npos);
  EXPECT_NE(error_message({"predict", "", "i"}).find("no MODEL given"), std::string::npos);
  EXPECT_NE(error_message({"predict", "m", "i", "n"}).find("unexpected argument n"), std::string::npos);
}

}  // namespace
}  // namespace warpfit
