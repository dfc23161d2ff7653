// The last lines of a run's log: its best epoch, and where its files are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace warpfit::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class EndingOfARun : public testing::Test {
 protected:
  // With so small a rate the parameters stay as they are, and no epoch is better than the first one.
  static std::vector<std::string> arguments(const std::vector<std::string>& more) {
    std::vector<std::string> all{"train",     "--data",   sample_folder().string(),
                                 "--network", "784-10",   "--epochs",
                                 "2",         "--device", "cpu",
                                 "--lr",      "1e-30"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  TemporaryFolder folder_;
};

// best.safetensors is that of the first epoch, which another process has trained.
TEST_F(EndingOfARun, NamesTheBestEpochOfAResumedRun) {
  const std::string loss = R"(warpfit \[info\] best epoch by test loss: 1 \(loss 2\.[0-9]+)";
  const auto first = run_warpfit(arguments({"--run-dir", path("run")}));
  EXPECT_THAT(first.error, ContainsRegex(loss + R"(, accuracy [0-9.]+%\); 2 epochs in )"));
  const auto longer = run_warpfit({"resume", path("run"), "--epochs", "3"});
  EXPECT_THAT(longer.error, ContainsRegex(loss + R"(\); 1 epoch in )"));
  const auto again = run_warpfit({"resume", path("run")});
  EXPECT_THAT(again.error, ContainsRegex(loss + "\\)\n"));
}

TEST_F(EndingOfARun, NamesTheFilesOfAResumedRun) {
  for (const auto& command : {arguments({"--run-dir", path("run")}), {"resume", path("run")}}) {
    const auto run = run_warpfit(command);
    EXPECT_EQ(run.exit_code, 0) << run.error;
    EXPECT_THAT(run.error, HasSubstr("warpfit [info] run: " + path("run") + "\n"));
    EXPECT_THAT(run.error, HasSubstr("warpfit [info] model: " + path("run/model.safetensors") + ";"));
    EXPECT_THAT(run.error, Not(HasSubstr("was not saved")));
  }
}

TEST_F(EndingOfARun, SaysThatTheModelWasNotSaved) {
  const auto run = run_warpfit(arguments({}));
  EXPECT_THAT(run.error, testing::EndsWith("warpfit [info] the model was not saved; --save FILE or "
                                           "--run-dir DIR saves it\n"));
  const auto saved = run_warpfit(arguments({"--save", path("model")}));
  EXPECT_THAT(saved.error, HasSubstr("warpfit [info] model: " + path("model") + ";"));
  EXPECT_THAT(saved.error, Not(HasSubstr("was not saved")));
}

}  // namespace
}  // namespace warpfit::test
