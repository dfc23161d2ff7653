#include "host/report/metrics_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "host/base/error.hpp"
#include "tests/support/file_size_limit.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

class MetricsFileTest : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return (folder_.path() / "rows").string(); }
  [[nodiscard]] std::string text() const {
    const Bytes bytes = read_file(path());
    return {bytes.begin(), bytes.end()};
  }
  void put(std::string_view text) const { folder_.add("rows", {text.begin(), text.end()}); }
  void expect_lost(std::uint64_t keep, const std::string& why) const {
    const MetricsFile file(opened_, "rows", keep);
    EXPECT_THAT(file.problem(), HasSubstr(why));
    EXPECT_EQ(file.size(), 0U);
    EXPECT_EQ(text(), "");
  }

  TemporaryFolder folder_;
  Folder opened_{folder_.path().string()};
};

TEST_F(MetricsFileTest, GrowsByRowsThatAreThereAtOnce) {
  MetricsFile file(opened_, "rows", 0);
  EXPECT_EQ(text(), "");
  file.write("one\n");
  EXPECT_EQ(text(), "one\n");
  file.write("three\n");
  EXPECT_EQ(text(), "one\nthree\n");
  EXPECT_EQ(file.size(), 10U);
  file.flush();
}

TEST_F(MetricsFileTest, BeginsWithAnEmptyFile) {
  put("of another run\n");
  MetricsFile file(opened_, "rows", 0);
  EXPECT_EQ(file.size(), 0U);
  file.write("one\n");
  EXPECT_EQ(text(), "one\n");
}

// The last row was written by a run that was killed while writing it.
TEST_F(MetricsFileTest, DropsTheRowsAfterTheCheckpoint) {
  put("one\ntwo\nthree\nfo");
  MetricsFile file(opened_, "rows", 8);
  EXPECT_EQ(text(), "one\ntwo\n");
  EXPECT_EQ(file.size(), 8U);
  file.write("3\n");
  EXPECT_EQ(text(), "one\ntwo\n3\n");
}

TEST_F(MetricsFileTest, KeepsAFileThatEndsAtTheCheckpoint) {
  put("one\n");
  MetricsFile(opened_, "rows", 4).write("two\n");
  EXPECT_EQ(text(), "one\ntwo\n");
}

// The weights are complete: a run can resume without its earlier rows. Existing rows are not overwritten.
TEST_F(MetricsFileTest, SetsAsideAFileThatIsNotTheCheckpoints) {
  expect_lost(4, "it is missing");
  put("one\ntwo\n");
  expect_lost(9, "it has 8 bytes, but 9 at the checkpoint; it was renamed to rows.damaged");
  EXPECT_EQ(read_file(path() + ".damaged"),
            read_file(folder_.add("expected", {'o', 'n', 'e', '\n', 't', 'w', 'o', '\n'})));
  put("one\ntwo\n");
  expect_lost(5, "end in the middle of a row; it was renamed to rows.damaged-2");
  EXPECT_TRUE(fs::exists(path() + ".damaged"));
}

TEST_F(MetricsFileTest, RefusesLinks) {
  const auto victim = folder_.add("victim", {'o', 'l', 'd', '\n'});
  const auto expect_refused = [this](std::uint64_t keep, const std::string& what) {
    EXPECT_THAT(([this, keep] {
                  MetricsFile{opened_, "rows", keep};
                }),
                ThrowsMessage<IoError>(AllOf(HasSubstr(path()), HasSubstr(what))));
  };
  for (const std::uint64_t keep : {0, 4, 9}) {
    fs::create_symlink("victim", path());
    expect_refused(keep, "is a link");
    fs::remove(path());
    fs::create_hard_link(victim, path());
    expect_refused(keep, "has 2 names");
    fs::remove(path());
  }
  EXPECT_EQ(read_file(victim), (Bytes{'o', 'l', 'd', '\n'}));
}

// If a user empties the file during the run, it gets the following rows without a hole of zero bytes before
// them.
TEST_F(MetricsFileTest, AppendsWhereverTheFileEnds) {
  MetricsFile file(opened_, "rows", 0);
  file.write("one\n");
  fs::resize_file(path(), 0);
  file.write("two\n");
  EXPECT_EQ(text(), "two\n");
}

TEST_F(MetricsFileTest, KeepsWholeRowsWhereTheDiskIsFull) {
  MetricsFile file(opened_, "rows", 0);
  file.write("one\n");
  for (const rlim_t limit : {4, 5, 7}) {
    const FileSizeLimit full(limit);
    EXPECT_THAT([&] { file.write("two\n"); },
                ThrowsMessage<IoError>(AllOf(HasSubstr(path() + ": cannot write a row at byte 4"),
                                             HasSubstr("File too large"))));
    EXPECT_EQ(text(), "one\n");
    EXPECT_EQ(file.size(), 4U);
  }
  file.write("two\n");
  EXPECT_EQ(text(), "one\ntwo\n");
}

TEST_F(MetricsFileTest, RefusesWhatCannotBeWritten) {
  const auto expect_refused = [this](const std::string& what) {
    EXPECT_THAT(([this] {
                  MetricsFile{opened_, "rows", 0};
                }),
                ThrowsMessage<IoError>(AllOf(HasSubstr(path()), HasSubstr(what))));
  };
  fs::create_directory(path());
  expect_refused("cannot open to write: Is a directory");
  fs::remove(path());
  ASSERT_EQ(mkfifo(path().c_str(), 0600), 0);
  expect_refused("cannot write: expected a regular file");
  fs::remove(path());
  fs::remove(folder_.path());
  expect_refused("cannot open to write: No such file or directory");
}

}  // namespace
}  // namespace warpfit::test
