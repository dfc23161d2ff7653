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
  void expect_refused(std::uint64_t keep, const std::string& found) const {
    EXPECT_THAT(([this, keep] {
                  MetricsFile{path(), keep};
                }),
                ThrowsMessage<IoError>(AllOf(
                    HasSubstr(path() + ": the checkpoint goes on from its first " + std::to_string(keep)),
                    HasSubstr(found), HasSubstr("put the file of the checkpoint's run there"))));
  }

  TemporaryFolder folder_;
};

TEST_F(MetricsFileTest, GrowsByRowsThatAreThereAtOnce) {
  MetricsFile file(path(), 0);
  EXPECT_EQ(text(), "");
  file.write("one\n");
  EXPECT_EQ(text(), "one\n");
  file.write("three\n");
  EXPECT_EQ(text(), "one\nthree\n");
  EXPECT_EQ(file.size(), 10U);
  file.flush();
}

TEST_F(MetricsFileTest, BeginsAnew) {
  put("of another run\n");
  MetricsFile file(path(), 0);
  EXPECT_EQ(file.size(), 0U);
  file.write("one\n");
  EXPECT_EQ(text(), "one\n");
}

// The last row is that of a run which was killed while it wrote it.
TEST_F(MetricsFileTest, DropsTheRowsBehindTheCheckpoint) {
  put("one\ntwo\nthree\nfo");
  MetricsFile file(path(), 8);
  EXPECT_EQ(text(), "one\ntwo\n");
  EXPECT_EQ(file.size(), 8U);
  file.write("3\n");
  EXPECT_EQ(text(), "one\ntwo\n3\n");
}

TEST_F(MetricsFileTest, KeepsAFileThatEndsAtTheCheckpoint) {
  put("one\n");
  MetricsFile(path(), 4).write("two\n");
  EXPECT_EQ(text(), "one\ntwo\n");
}

TEST_F(MetricsFileTest, RefusesAFileThatIsNotTheCheckpoints) {
  expect_refused(4, "there is no such file");
  EXPECT_FALSE(fs::exists(path()));
  put("one\ntwo\n");
  expect_refused(9, "there are 8");
  expect_refused(5, "they do not end with a row");
  EXPECT_EQ(text(), "one\ntwo\n");
}

// Somebody who empties the file meanwhile gets the rows to come, and no hole of zeros before them.
TEST_F(MetricsFileTest, AppendsWhereverTheFileEnds) {
  MetricsFile file(path(), 0);
  file.write("one\n");
  fs::resize_file(path(), 0);
  file.write("two\n");
  EXPECT_EQ(text(), "two\n");
}

TEST_F(MetricsFileTest, KeepsWholeRowsWhereTheDiskIsFull) {
  MetricsFile file(path(), 0);
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
  EXPECT_THAT(([this] {
                MetricsFile{path() + "/deeper", 0};
              }),
              ThrowsMessage<IoError>(HasSubstr("deeper: cannot open to write: No such file or directory")));
  EXPECT_THAT(([this] {
                MetricsFile{folder_.path().string(), 0};
              }),
              ThrowsMessage<IoError>(HasSubstr("cannot open to write: Is a directory")));
  EXPECT_THAT(([] {
                MetricsFile{"/dev/null", 0};
              }),
              ThrowsMessage<IoError>(HasSubstr("/dev/null: cannot write: expected a regular file")));
  ASSERT_EQ(mkfifo(path().c_str(), 0600), 0);
  EXPECT_THAT(([this] {
                MetricsFile{path(), 0};
              }),
              ThrowsMessage<IoError>(HasSubstr("rows: cannot write: expected a regular file")));
}

}  // namespace
}  // namespace warpfit::test
