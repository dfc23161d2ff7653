// Output paths as the user sees them: an unusable one is rejected before training, and no file of the user is
// overwritten.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace warpfit::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

const Bytes kOwn{'m', 'i', 'n', 'e'};

class Outputs : public testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  [[nodiscard]] static Outcome train(const std::vector<std::string>& more) {
    std::vector<std::string> all{"train",     "--data", sample_folder().string(), "--epochs", "1",
                                 "--threads", "1"};
    all.insert(all.end(), more.begin(), more.end());
    return run_warpfit(all);
  }
  // Rejected before the first epoch, without leaving a file behind.
  void expect_refused(const std::vector<std::string>& more, int exit_code, const std::string& what) const {
    const auto outcome = train(more);
    EXPECT_EQ(outcome.exit_code, exit_code) << outcome.error;
    EXPECT_THAT(outcome.error, HasSubstr(what));
    EXPECT_THAT(outcome.out, IsEmpty());
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path())) names.push_back(entry.path().filename());
    return names;
  }

  TemporaryFolder folder_;
};

TEST_F(Outputs, AreProvenWritableBeforeTraining) {
  expect_refused({"--save", path("no/such/folder/m")}, 5, "No such file or directory");
  expect_refused({"--save", path(std::string(256, 'm'))}, 5, "File name too long");
  expect_refused({"--save", folder_.path().string()}, 5, "there is a folder");
  folder_.add("file", kOwn);
  expect_refused({"--run-dir", path("file")}, 5, "file");
  expect_refused({"--run-dir", path("file/run")}, 5, "file/run");
  EXPECT_THAT(names(), testing::ElementsAre("file"));
  const auto outcome = train({"--save", path(std::string(255, 'm'))});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_TRUE(fs::exists(path(std::string(255, 'm'))));
}

TEST_F(Outputs, LeaveNoFolderIfTheStartIsRefused) {
  const auto run = path("new/run");
  expect_refused({"--run-dir", run, "--device", "cpu", "--engine", "fused"}, 2, "fused");
  expect_refused({"--run-dir", run, "--device", "cuda:99"}, 6, "cuda:99");
  expect_refused({"--run-dir", run, "--init-from", path("none")}, 5, "none");
  expect_refused({"--run-dir", run, "--device-memory-limit", "1"}, 7, "--device-memory-limit");
  expect_refused({"--run-dir", run, "--save", path("no/m")}, 5, "no/m");
  expect_refused({"--run-dir", run, "--network", "7-10"}, 2, "7-10");
  EXPECT_THAT(names(), IsEmpty());
  const auto outcome = train({"--run-dir", run, "--save", path("new/model")});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_EQ(read_file(path("new/model")), read_file(run + "/model.safetensors"));
}

// The folder may come from somebody else, who prepared links in it.
TEST_F(Outputs, OverwriteNoFileThatALinkLeadsTo) {
  const auto own = folder_.add("own", kOwn);
  for (const std::string name : {"metrics.jsonl", "metrics.csv"}) {
    fs::create_directories(path("run"));
    fs::create_symlink(own, path("run/" + name));
    expect_refused({"--run-dir", path("run")}, 2, name);
    // Also if the folder contains a run without a checkpoint.
    fs::remove_all(path("run"));
    ASSERT_EQ(train({"--run-dir", path("run")}).exit_code, 0);
    fs::remove_all(path("run/checkpoints"));
    fs::remove(path("run/" + name));
    for (const bool hard : {false, true}) {
      hard ? fs::create_hard_link(own, path("run/" + name)) : fs::create_symlink(own, path("run/" + name));
      const auto resumed = run_warpfit({"resume", path("run")});
      EXPECT_EQ(resumed.exit_code, 5) << resumed.error;
      EXPECT_THAT(resumed.error, HasSubstr(name + ": cannot write"));
      EXPECT_EQ(read_file(own), kOwn);
      fs::remove(path("run/" + name));
    }
    fs::remove_all(path("run"));
  }
}

// config.toml names the file to save the model in, and may come from somebody else.
TEST_F(Outputs, OfAResumedRunReplaceModelsAlone) {
  const auto model = path("model");
  ASSERT_EQ(train({"--run-dir", path("run"), "--save", model}).exit_code, 0);
  EXPECT_EQ(run_warpfit({"resume", path("run")}).exit_code, 0);
  for (const auto& own : {kOwn, safetensors("{}")}) {
    folder_.add("model", own);
    const auto resumed = run_warpfit({"resume", path("run")});
    EXPECT_EQ(resumed.exit_code, 5) << resumed.error;
    EXPECT_THAT(resumed.error, HasSubstr(model + ": the run's config.toml names this file"));
    EXPECT_EQ(read_file(model), own);
  }
  fs::remove(model);
  EXPECT_EQ(run_warpfit({"resume", path("run")}).exit_code, 0);
  EXPECT_TRUE(fs::exists(model));
}

TEST_F(Outputs, KeepTheCheckpointsOfAnotherRun) {
  ASSERT_EQ(train({"--run-dir", path("run")}).exit_code, 0);
  fs::remove(path("run/config.toml"));
  expect_refused({"--run-dir", path("run"), "--seed", "5"}, 2, "would be overwritten");
  for (const char* name : {"metrics.jsonl", "metrics.csv", "model.safetensors", "best.safetensors"})
    ASSERT_TRUE(fs::remove(path("run") + "/" + name));
  expect_refused({"--run-dir", path("run")}, 2, "checkpoints in it would be overwritten");
}

TEST_F(Outputs, KeepPermissionsAndNeighbours) {
  const auto model = folder_.add("model", kOwn);
  folder_.add("model.tmp", kOwn);
  fs::permissions(model, fs::perms{0600});
  ASSERT_EQ(train({"--save", model}).exit_code, 0);
  EXPECT_NE(read_file(model), kOwn);
  EXPECT_EQ(fs::status(model).permissions(), fs::perms{0600});
  EXPECT_EQ(read_file(path("model.tmp")), kOwn);
}

// The link to standard output is the test's own: as root, the test would replace /dev/stdout itself.
TEST_F(Outputs, DoNotReplaceALinkToStandardOutput) {
  fs::create_symlink("/proc/self/fd/1", path("stdout"));
  ASSERT_EQ(train({"--save", path("model")}).exit_code, 0);
  const auto outcome = run_warpfit({"export", path("model"), "--to", "npz", "--output", path("stdout")});
  EXPECT_EQ(outcome.exit_code, 5) << outcome.error;
  EXPECT_TRUE(fs::is_symlink(path("stdout")));
  expect_refused({"--save", path("stdout")}, 5, "leads into /dev, /proc or /sys");
}

TEST_F(Outputs, GoOnWithoutTheRowsThatAreLost) {
  ASSERT_EQ(train({"--run-dir", path("run")}).exit_code, 0);
  fs::remove(path("run/metrics.csv"));
  const auto resumed = run_warpfit({"resume", path("run")});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.error;
  EXPECT_THAT(resumed.error, HasSubstr("metrics.csv: it is missing"));
  EXPECT_TRUE(fs::exists(path("run/metrics.csv")));
}

}  // namespace
}  // namespace warpfit::test
