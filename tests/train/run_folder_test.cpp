#include "host/train/run_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;
namespace fs = std::filesystem;

Checkpoint with_step(std::int64_t step) {
  Checkpoint checkpoint{.info = {.network = multilayer_perceptron({3, 2, 2}), .sample_shape = {3}},
                        .state = {},
                        .metrics = {},
                        .data = "10x3, labels 1f2e3d4c"};
  checkpoint.state.step = step;
  checkpoint.state.parameters.resize(plan_of(checkpoint.info).floats);
  return checkpoint;
}

class RunFolderTest : public testing::Test {
 protected:
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(run_ / "checkpoints"))
      names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
  }
  void damage(const std::string& name) const {
    const auto path = run_ / "checkpoints" / name;
    auto bytes = read_file(path);
    bytes.back() ^= 1;
    write_file(path, bytes);
  }

  // A folder in which a run has started.
  [[nodiscard]] RunFolder begun() const {
    auto folder = RunFolder::create(run_);
    folder.write_config("lr = 1\n");
    folder.keep();
    return folder;
  }
  void expect_refused(const std::string& what) const {
    EXPECT_THAT([this] { RunFolder::create(run_); },
                ThrowsMessage<UsageError>(AllOf(HasSubstr("--run-dir " + run_.string()), HasSubstr(what))));
  }

  TemporaryFolder folder_;
  fs::path run_ = folder_.path() / "new" / "run";
};

TEST_F(RunFolderTest, KeepsTheNewestThree) {
  const auto folder = begun();
  for (const std::int64_t step : {9, 10, 100, 1000}) folder.save(with_step(step));
  EXPECT_THAT(names(), testing::ElementsAre("step_000000000010.safetensors", "step_000000000100.safetensors",
                                            "step_000000001000.safetensors"));
  EXPECT_EQ(folder.newest([](auto) { FAIL(); })->state.step, 1000);
}

TEST_F(RunFolderTest, GoesBackToAnOlderOneWhereTheNewestIsDamaged) {
  const auto folder = begun();
  for (const std::int64_t step : {1, 2, 3}) folder.save(with_step(step));
  damage("step_000000000002.safetensors");
  damage("step_000000000003.safetensors");
  std::vector<std::string> said;
  EXPECT_EQ(folder.newest([&](std::string_view text) { said.emplace_back(text); })->state.step, 1);
  ASSERT_EQ(said.size(), 2U);
  EXPECT_THAT(said[0], HasSubstr("step_000000000003.safetensors"));
  EXPECT_THAT(said[1], HasSubstr("step_000000000002.safetensors"));
  // Damaged checkpoints are not counted, so that valid ones are not removed in favor of them.
  folder.save(with_step(2));
  EXPECT_THAT(names(), testing::ElementsAre("step_000000000001.safetensors", "step_000000000002.safetensors",
                                            "step_000000000002.safetensors.damaged",
                                            "step_000000000003.safetensors.damaged"));
}

TEST_F(RunFolderTest, RefusesWhereAllAreDamaged) {
  const auto folder = begun();
  EXPECT_FALSE(folder.newest([](auto) {}));
  folder.save(with_step(1));
  damage("step_000000000001.safetensors");
  EXPECT_THROW((void)folder.newest([](auto) {}), ModelError);
}

TEST_F(RunFolderTest, PassesOverWhatIsNoCheckpoint) {
  const auto folder = begun();
  folder.save(with_step(5));
  for (const char* name : {"step_000000000009.safetensors.tmp", "step_9.safetensors", "notes.txt"}) {
    write_file(run_ / "checkpoints" / name, Bytes{1});
  }
  EXPECT_EQ(folder.newest([](auto) { FAIL(); })->state.step, 5);
}

TEST_F(RunFolderTest, BelongsToOneProcess) {
  {
    const auto folder = begun();
    EXPECT_THROW(RunFolder::open(run_), IoError);
    EXPECT_THROW(RunFolder::create(run_), IoError);
  }
  EXPECT_EQ(RunFolder::open(run_).path(), run_.string());
  EXPECT_THROW(RunFolder::open(folder_.path()), UsageError);
  EXPECT_THROW(RunFolder::open(folder_.path() / "nothing"), IoError);
}

TEST_F(RunFolderTest, KeepsTheNewestWrittenThoughItsStepIsLower) {
  const auto folder = begun();
  for (const std::int64_t step : {12, 16, 20, 4, 8}) folder.save(with_step(step));
  EXPECT_THAT(names(), ElementsAre("step_000000000008.safetensors", "step_000000000016.safetensors",
                                   "step_000000000020.safetensors"));
}

TEST_F(RunFolderTest, IsNotMadeForARunThatDoesNotBegin) {
  {
    auto folder = RunFolder::create(run_);
    folder.write_config("lr = 1\n");
    for (const char* name : {"metrics.jsonl", "metrics.csv"}) write_file(run_ / name, Bytes{1});
  }
  EXPECT_TRUE(fs::is_empty(folder_.path()));
  fs::create_directory(folder_.path() / "new");
  { const auto folder = RunFolder::create(run_); }
  EXPECT_TRUE(fs::is_empty(folder_.path() / "new"));
}

// The state that a process leaves if it is killed before the run has started.
TEST_F(RunFolderTest, IsTakenIfNothingIsInIt) {
  fs::create_directories(run_ / "checkpoints");
  { const auto folder = begun(); }
  EXPECT_EQ(read_file(run_ / "config.toml").size(), 7U);
}

TEST_F(RunFolderTest, IsRefusedIfANewRunWouldOverwriteSomething) {
  fs::create_directories(run_);
  const auto victim = folder_.add("victim", Bytes{1});
  for (const char* name :
       {"config.toml", "metrics.jsonl", "metrics.csv", "model.safetensors", "best.safetensors"}) {
    write_file(run_ / name, Bytes{1});
    expect_refused(name == std::string("config.toml") ? "it contains a run" : name);
    EXPECT_EQ(read_file(run_ / name), Bytes{1});
    fs::remove(run_ / name);
    fs::create_symlink(victim, run_ / name);
    expect_refused("");
    fs::remove(run_ / name);
  }
  EXPECT_EQ(read_file(victim), Bytes{1});
  {
    const auto folder = begun();
    folder.save(with_step(1));
  }
  fs::remove(run_ / "config.toml");
  expect_refused("checkpoints in it would be overwritten");
  EXPECT_THAT(names(), ElementsAre("step_000000000001.safetensors"));
}

// A folder from somebody else may contain links, which must not lead to other files.
TEST_F(RunFolderTest, FollowsNoLinkToWrite) {
  const auto elsewhere = folder_.path() / "elsewhere";
  fs::create_directory(elsewhere);
  write_file(elsewhere / "step_000000000001.safetensors", Bytes{1});
  fs::create_directories(run_);
  fs::create_directory_symlink(elsewhere, run_ / "checkpoints");
  EXPECT_THROW(RunFolder::create(run_), IoError);
  write_file(run_ / "config.toml", Bytes{});
  EXPECT_THAT([this] { RunFolder::open(run_); },
              ThrowsMessage<IoError>(HasSubstr("checkpoints: is a link, expected a folder")));

  fs::remove(run_ / "checkpoints");
  const auto folder = RunFolder::open(run_);
  fs::remove(run_ / "checkpoints");
  fs::create_directory_symlink(elsewhere, run_ / "checkpoints");
  EXPECT_THROW(folder.save(with_step(2)), IoError);
  EXPECT_EQ(std::distance(fs::directory_iterator(elsewhere), fs::directory_iterator{}), 1);
}

TEST_F(RunFolderTest, GoesWithTheFolderThatIsMoved) {
  const auto folder = begun();
  fs::rename(run_, folder_.path() / "moved");
  fs::create_directories(run_ / "checkpoints");
  folder.save(with_step(7));
  EXPECT_THAT(names(), ElementsAre());
  EXPECT_TRUE(fs::exists(folder_.path() / "moved/checkpoints/step_000000000007.safetensors"));
}

TEST_F(RunFolderTest, RemovesWhatAKilledProcessWasWriting) {
  { const auto folder = begun(); }
  const std::vector<fs::path> left{run_ / ".warpfit-12-1-model.safetensors.tmp",
                                   run_ / "checkpoints/.warpfit-12-1-step_000000000007.safetensors.tmp"};
  for (const auto& path : left) write_file(path, Bytes{1});
  write_file(run_ / "notes.tmp", Bytes{1});
  { const auto folder = RunFolder::open(run_); }
  for (const auto& path : left) EXPECT_FALSE(fs::exists(path));
  EXPECT_TRUE(fs::exists(run_ / "notes.tmp"));
}

}  // namespace
}  // namespace warpfit::test
