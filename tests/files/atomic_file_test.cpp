#include "host/files/atomic_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

#include "host/base/error.hpp"
#include "tests/support/file_size_limit.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

const Bytes kOld{'o', 'l', 'd'};
const Bytes kNew{'n', 'e', 'w', '!'};

class AtomicFileTest : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return (folder_.path() / "model").string(); }
  [[nodiscard]] std::string temporary() const { return path() + ".tmp"; }
  [[nodiscard]] bool is_alone() const {
    return std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator{}) == 1;
  }
  void replace() const {
    AtomicFile file(path());
    file.write("ne");
    file.write("w!");
    file.commit();
  }

  TemporaryFolder folder_;
};

TEST_F(AtomicFileTest, WritesANewFileAndReplacesAnOldOne) {
  replace();
  EXPECT_EQ(read_file(path()), kNew);
  folder_.add("model", Bytes(1000, 'o'));
  replace();
  EXPECT_EQ(read_file(path()), kNew);
  EXPECT_TRUE(is_alone());
}

TEST_F(AtomicFileTest, TouchesNothingBeforeItIsCommitted) {
  folder_.add("model", kOld);
  AtomicFile file(path());
  file.write("new!");
  EXPECT_EQ(read_file(path()), kOld);
  EXPECT_EQ(read_file(temporary()), kNew);
  file.commit();
  EXPECT_EQ(read_file(path()), kNew);
}

TEST_F(AtomicFileTest, LeavesTheOldFileWhereItIsGivenUp) {
  folder_.add("model", kOld);
  { AtomicFile(path()).write("new!"); }
  EXPECT_EQ(read_file(path()), kOld);
  EXPECT_TRUE(is_alone());
}

TEST_F(AtomicFileTest, ReplacesWhatAKilledRunLeft) {
  folder_.add("model.tmp", Bytes(1000, 'x'));
  replace();
  EXPECT_EQ(read_file(path()), kNew);
  EXPECT_TRUE(is_alone());
}

// Following the link would write where somebody else points.
TEST_F(AtomicFileTest, DoesNotFollowALeftOverLink) {
  const auto victim = folder_.add("victim", kOld);
  fs::create_symlink(victim, temporary());
  replace();
  EXPECT_EQ(read_file(victim), kOld);
  EXPECT_EQ(read_file(path()), kNew);
}

TEST_F(AtomicFileTest, LeavesTheOldFileWhereWritingFails) {
  folder_.add("model", kOld);
  for (const rlim_t limit : {0, 1, 99, 100}) {
    const FileSizeLimit full(limit);
    AtomicFile file(path());
    const std::string text(101, 'n');
    EXPECT_THAT(
        [&] { file.write(text); },
        ThrowsMessage<IoError>(AllOf(HasSubstr(path() + ": cannot write at byte " + std::to_string(limit)),
                                     HasSubstr("File too large"))));
  }
  EXPECT_EQ(read_file(path()), kOld);
  EXPECT_TRUE(is_alone());
}

TEST_F(AtomicFileTest, RefusesWhatIsNoRegularFile) {
  fs::create_directory(path());
  EXPECT_THAT([this] { AtomicFile{path()}; },
              ThrowsMessage<IoError>(HasSubstr(path() + ": cannot write: there is a folder")));
  fs::remove(path());
  ASSERT_EQ(mkfifo(path().c_str(), 0600), 0);
  EXPECT_THAT([this] { AtomicFile{path()}; }, ThrowsMessage<IoError>(HasSubstr("a device or pipe")));
  EXPECT_THAT([] { AtomicFile{"/dev/null"}; }, ThrowsMessage<IoError>(HasSubstr("/dev/null: cannot write")));
  EXPECT_TRUE(is_alone());
}

TEST_F(AtomicFileTest, RefusesAPathWithoutAName) {
  EXPECT_THROW(AtomicFile{""}, IoError);
  EXPECT_THROW(AtomicFile{folder_.path().string() + "/"}, IoError);
}

TEST_F(AtomicFileTest, SaysWhereThereIsNoFolder) {
  EXPECT_THAT([this] { AtomicFile{path() + "/deeper"}; },
              ThrowsMessage<IoError>(AllOf(HasSubstr("deeper.tmp"), HasSubstr("No such file or directory"))));
}

TEST_F(AtomicFileTest, SaysWhereAFolderIsInTheWay) {
  fs::create_directory(temporary());
  EXPECT_THAT([this] { AtomicFile{path()}; }, ThrowsMessage<IoError>(HasSubstr("cannot create")));
  EXPECT_TRUE(fs::is_directory(temporary()));
}

// Root writes to every folder, so a process of its own gives that up first.
TEST_F(AtomicFileTest, SaysWhereAFolderMayNotBeWrittenTo) {
  fs::permissions(folder_.path(), fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read |
                                      fs::perms::others_exec);
  const auto open_it = [this] {
    constexpr uid_t kNobody = 65'534;
    if (geteuid() == 0 && seteuid(kNobody) != 0) _exit(1);
    try {
      const AtomicFile file(path());
    } catch (const IoError& error) {
      std::fputs(error.what(), stderr);
      _exit(static_cast<int>(error.code()));
    }
    _exit(0);
  };
  EXPECT_EXIT(open_it(), testing::ExitedWithCode(5), "model: cannot create .*model.tmp.*Permission denied");
  fs::permissions(folder_.path(), fs::perms::owner_all);
}

// Two runs with one path: neither may make the other's half-written file the model.
TEST_F(AtomicFileTest, NoticesASecondWriter) {
  std::optional<AtomicFile> first(path());
  first->write("first");
  AtomicFile second(path());
  second.write("new");
  EXPECT_THAT([&] { first->commit(); }, ThrowsMessage<IoError>(HasSubstr("does another run write there?")));
  first.reset();
  second.write("!");
  second.commit();
  EXPECT_EQ(read_file(path()), kNew);
}

TEST_F(AtomicFileTest, GivesTheUsualPermissions) {
  const mode_t old_mask = umask(027);
  replace();
  umask(old_mask);
  EXPECT_EQ(fs::status(path()).permissions(), fs::perms{0640});
}

}  // namespace
}  // namespace warpfit::test
