// Training in several processes that mpirun starts.
#include "tests/support/mpirun.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/files.hpp"
#include "tests/support/golden.hpp"

namespace warpfit::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using Words = std::vector<std::string>;
using PrintedLosses = std::vector<std::pair<std::int64_t, double>>;  // samples seen before, loss

Words joined(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

PrintedLosses losses_of(const std::string& text) {
  const std::regex line(R"(loss: ([0-9.]+)  \[ *([0-9]+)/ *[0-9]+\])");
  PrintedLosses losses;
  for (std::sregex_iterator match(text.begin(), text.end(), line), end; match != end; ++match)
    losses.emplace_back(std::stoll((*match)[2]), std::stod((*match)[1]));
  return losses;
}

double test_loss_of(const std::string& text) {
  std::smatch match;
  return std::regex_search(text, match, std::regex(R"(Avg loss: ([0-9.]+))")) ? std::stod(match[1]) : -1;
}

class MpirunProgram : public testing::Test {
 protected:
  void SetUp() override { require_mpi(); }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  // The names in a folder.
  [[nodiscard]] Words folder_files(const std::string& folder) const {
    Words names;
    for (const auto& entry : std::filesystem::directory_iterator(path(folder)))
      names.push_back(entry.path().filename().string());
    return names;
  }
  static Words warpfit(const Words& arguments) { return joined({program_path()}, arguments); }
  static Words small(const Words& more) {
    return warpfit(joined({"train", "--data", sample_folder().string(), "--epochs", "2", "--batch-size", "25",
                           "--lr", "0.1", "--log-every", "3"},
                          more));
  }

  TemporaryFolder folder_;
};

// PyTorch's losses of the first epoch, within the tolerances of one process.
TEST_F(MpirunProgram, PrintsPyTorchsLosses) {
  require_fashion_mnist();
  const std::vector<std::tuple<std::string, int, Words>> runs{
      {"tutorial_seed0", 2, {}},
      {"tutorial_seed0", 3, {}},
      {"adam_seed0", 2, {"--optimizer", "adam"}},
      {"momentum_seed0", 3, {"--momentum", "0.9", "--lr", "0.01"}},
      {"clip_seed0", 2, {"--clip-grad-norm", "0.5", "--lr", "0.1"}},
  };
  for (const auto& [name, ranks, flags] : runs) {
    SCOPED_TRACE(name + " on " + std::to_string(ranks) + " ranks");
    const auto golden = read_golden(name);
    const auto run = mpirun(on_ranks(
        ranks,
        warpfit(joined({"train", "--data", fashion_mnist_folder().string(), "--epochs", "1"}, flags))));
    ASSERT_EQ(run.exit_code, 0) << run.error;
    EXPECT_THAT(run.error, HasSubstr(std::to_string(ranks) + " processes, MPI ("));
    const auto& epoch = golden.epochs.front();
    const auto losses = losses_of(run.out);
    ASSERT_EQ(losses.size(), epoch.losses.size()) << run.out;
    for (std::size_t i = 0; i < losses.size(); ++i) {
      EXPECT_EQ(losses[i].first, epoch.losses[i].first);
      EXPECT_NEAR(losses[i].second, epoch.losses[i].second, golden.later_losses)
          << "after " << losses[i].first;
    }
    EXPECT_NEAR(test_loss_of(run.out), epoch.test_loss, golden.later_losses);
  }
}

// Dropout, convolutions, batches of 7 on 3 ranks and of 4 on 5.
TEST_F(MpirunProgram, PrintsWhatOneProcessPrints) {
  const std::vector<std::pair<int, Words>> runs{
      {2, {"--dropout", "0.3", "--network", "784-13-10"}},
      {3, {"--network", "conv(4,5),relu,maxpool(4),linear(10)", "--augment", "shift:2,flip"}},
      {3, {"--batch-size", "7", "--shuffle"}},
      {5, {"--batch-size", "4", "--optimizer", "adam", "--lr", "0.001"}},
      {2, {"--class-weights", "balanced", "--validation-split", "0.2"}},
      {3, {"--sync-batchnorm", "--network", "conv(4,5),batchnorm,relu,maxpool(4),linear(10)"}},
      {2, {"--sync-batchnorm", "--network", "linear(12),batchnorm,relu,linear(10)", "--batch-size", "7"}}};
  for (const auto& [ranks, flags] : runs) {
    SCOPED_TRACE(testing::PrintToString(flags));
    const auto command = small(flags);
    const auto alone = run_warpfit({command.begin() + 1, command.end()});
    const auto together = mpirun(on_ranks(ranks, command));
    ASSERT_EQ(alone.exit_code, 0) << alone.error;
    ASSERT_EQ(together.exit_code, 0) << together.error;
    const auto expected = losses_of(alone.out);
    const auto losses = losses_of(together.out);
    ASSERT_FALSE(expected.empty());
    ASSERT_EQ(losses.size(), expected.size());
    for (std::size_t i = 0; i < losses.size(); ++i) {
      EXPECT_EQ(losses[i].first, expected[i].first);
      EXPECT_NEAR(losses[i].second, expected[i].second, 2e-5);
    }
    EXPECT_NEAR(test_loss_of(together.out), test_loss_of(alone.out), 2e-5);
  }
}

TEST_F(MpirunProgram, GivesTheSameBytesWithOrderedSums) {
  const auto train = [this](const std::string& file) {
    return small({"--reduce", "ordered", "--shuffle", "--momentum", "0.9", "--save", path(file)});
  };
  const auto command = train("alone");
  ASSERT_EQ(run_warpfit({command.begin() + 1, command.end()}).exit_code, 0);
  for (const int ranks : {1, 2, 4}) {
    ASSERT_EQ(mpirun(on_ranks(ranks, train("together"))).exit_code, 0);
    EXPECT_EQ(read_file(path("together")), read_file(path("alone"))) << ranks << " ranks";
  }
  EXPECT_EQ(mpirun(on_ranks(3, train("three"))).exit_code, 2);
}

// The option is part of a run's configuration, and ranks must agree on it.
TEST_F(MpirunProgram, ResumesWithSynchronizedBatchNormalization) {
  const Words flags{"--sync-batchnorm", "--network", "linear(12),batchnorm,relu,linear(10)"};
  const auto command = small(flags);
  const auto alone = run_warpfit({command.begin() + 1, command.end()});
  ASSERT_EQ(alone.exit_code, 0) << alone.error;
  const auto first = mpirun(on_ranks(2, small(joined(flags, {"--epochs", "1", "--run-dir", path("run")}))));
  ASSERT_EQ(first.exit_code, 0) << first.error;
  const auto config = read_file(path("run/config.toml"));
  EXPECT_THAT(std::string(config.begin(), config.end()), HasSubstr("sync-batchnorm = true"));
  const auto second = mpirun(on_ranks(3, warpfit({"resume", path("run"), "--epochs", "2"})));
  ASSERT_EQ(second.exit_code, 0) << second.error;
  const auto last = alone.out.substr(alone.out.rfind("Avg loss"));
  EXPECT_NEAR(test_loss_of(second.out), test_loss_of(last), 2e-5);
}

TEST_F(MpirunProgram, CountsBatchesForEachRank) {
  const auto whole = mpirun(on_ranks(2, small({"--batch-size", "50", "--save", path("whole")})));
  const auto each = mpirun(on_ranks(2, small({"--batch-size-per-rank", "25", "--save", path("each")})));
  EXPECT_EQ(each.out, whole.out);
  EXPECT_EQ(read_file(path("each")), read_file(path("whole")));
}

TEST_F(MpirunProgram, TrainsAloneIfAskedTo) {
  const auto run = mpirun(on_ranks(2, small({"--parallel", "none"})));
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_THAT(run.error, Not(HasSubstr("processes")));
  EXPECT_THAT(run_warpfit({"train", "--data", sample_folder().string(), "--parallel", "mpi"}).error,
              HasSubstr("--parallel mpi needs an MPI launcher: start the program with `mpirun -n N warpfit"));
}

// Each error is printed once, and mpirun has its exit code.
TEST_F(MpirunProgram, EndsWithTheErrorOfARank) {
  const auto count = [](const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  };
  const auto expect_error = [&](const Words& arguments, int exit_code, const std::string& message) {
    SCOPED_TRACE(message);
    const auto run = mpirun(joined({"--oversubscribe"}, arguments));
    EXPECT_EQ(run.exit_code, exit_code) << run.error;
    EXPECT_EQ(count(run.error, message), 1U) << run.error;
    EXPECT_EQ(count(run.error, "warpfit [error]"), 1U) << run.error;
    EXPECT_LT(run.seconds, 30);
  };
  const auto both = [](const Words& first, const Words& second) {
    return joined(joined({"-n", "1"}, first), joined({":", "-n", "1"}, second));
  };
  expect_error(joined({"-n", "3"}, small({"--network", "784-8-3"})), 3, "expected labels below 3");
  expect_error(joined({"-n", "2"}, small({"--lr", "1e30"})), 8, "the loss is not a finite number");
  expect_error(both(small({}), small({"--momentum", "0.5"})), 2, "rank 1 has other options: 'momentum = 0.5");
  expect_error(both(small({}), small({"--sync-batchnorm"})), 2,
               "rank 1 has other options: 'sync-batchnorm = true'");
  expect_error(both(small({"--run-dir", path("run")}), small({})), 2,
               "rank 1 has other options: 'run-dir is not given'");
  std::filesystem::copy(sample_folder(), path("copy"));
  std::filesystem::remove(path("copy/train-labels-idx1-ubyte.gz"));
  Bytes labels(300, 3);
  labels[0] = 9;
  folder_.add("copy/train-labels-idx1-ubyte", idx({300}, labels));
  const auto with_data = [&](const std::string& data) {
    return warpfit({"train", "--data", data, "--quiet"});
  };
  expect_error(both(with_data(sample_folder().string()), with_data(path("copy"))), 2,
               "rank 1 has other data: ");
  expect_error(both(with_data(sample_folder().string()), with_data(path("nowhere"))), 5, "rank 1: ");
}

// Rank 1 fails when it reads the data, and when it creates the network.
TEST_F(MpirunProgram, LeavesNoFolderOfARunThatHasNotStarted) {
  const auto train = [&](const std::string& data, const Words& more) {
    return warpfit(joined({"train", "--data", data, "--epochs", "1", "--run-dir", path("new/run")}, more));
  };
  const auto fails_on_rank_1 = [&](const std::string& data, const Words& more) {
    const auto first = joined({"--oversubscribe", "-n", "1"}, train(sample_folder().string(), {}));
    const auto run = mpirun(joined(first, joined({":", "-n", "1"}, train(data, more))));
    EXPECT_EQ(run.exit_code, 5) << run.error;
    EXPECT_THAT(run.error, HasSubstr("rank 1: " + path("nowhere")));
  };
  fails_on_rank_1(path("nowhere"), {});
  EXPECT_FALSE(std::filesystem::exists(path("new")));
  fails_on_rank_1(sample_folder().string(), {"--init-from", path("nowhere")});
  EXPECT_FALSE(std::filesystem::exists(path("new")));

  // What was there before stays.
  std::filesystem::create_directories(path("new/run"));
  folder_.add("new/run/notes.txt", Bytes(3, 'a'));
  fails_on_rank_1(path("nowhere"), {});
  EXPECT_EQ(folder_files("new/run"), Words{"notes.txt"});
  const auto started = mpirun(on_ranks(2, small({"--run-dir", path("new/run")})));
  EXPECT_EQ(started.exit_code, 0) << started.error;
  EXPECT_TRUE(std::filesystem::exists(path("new/run/model.safetensors")));
}

}  // namespace
}  // namespace warpfit::test
