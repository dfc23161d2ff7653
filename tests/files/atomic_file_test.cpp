#include "host/files/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

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
  /// The names of all other files in the folder.
  [[nodiscard]] std::vector<std::string> others() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      if (entry.path() != path()) names.push_back(entry.path().filename());
    }
    return names;
  }
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
  ASSERT_EQ(others().size(), 1U);
  EXPECT_TRUE(is_temporary_name(others().front()));
  EXPECT_EQ(read_file(folder_.path() / others().front()), kNew);
  file.commit();
  EXPECT_EQ(read_file(path()), kNew);
}

TEST_F(AtomicFileTest, LeavesTheOldFileWhereItIsGivenUp) {
  folder_.add("model", kOld);
  { AtomicFile(path()).write("new!"); }
  EXPECT_EQ(read_file(path()), kOld);
  EXPECT_TRUE(is_alone());
}

// Neither a file of the user nor one that a killed run has left behind is overwritten.
TEST_F(AtomicFileTest, TakesANameThatNoOtherFileHas) {
  const auto own = folder_.add("model.tmp", kOld);
  const auto first = fmt::format(".warpfit-{}-1-model.tmp", getpid());
  folder_.add(first, kOld);
  const auto victim = folder_.add("victim", kOld);
  fs::create_symlink(victim, folder_.path() / fmt::format(".warpfit-{}-2-model.tmp", getpid()));
  replace();
  EXPECT_EQ(read_file(path()), kNew);
  EXPECT_EQ(read_file(own), kOld);
  EXPECT_EQ(read_file(folder_.path() / first), kOld);
  EXPECT_EQ(read_file(victim), kOld);
}

TEST_F(AtomicFileTest, HasAnyNameThatAFileCanHave) {
  const auto longest = (folder_.path() / std::string(255, 'm')).string();
  AtomicFile file(longest);
  file.write("new!");
  file.commit();
  EXPECT_EQ(read_file(longest), kNew);
  EXPECT_THROW(AtomicFile(longest + "m"), IoError);
}

TEST_F(AtomicFileTest, ReplacesALinkAndKeepsWhatItLeadsTo) {
  const auto victim = folder_.add("victim", kOld);
  fs::create_symlink("victim", path());
  replace();
  EXPECT_FALSE(fs::is_symlink(path()));
  EXPECT_EQ(read_file(path()), kNew);
  EXPECT_EQ(read_file(victim), kOld);
  fs::remove(path());
  fs::create_hard_link(victim, path());
  replace();
  EXPECT_EQ(read_file(victim), kOld);
}

// As root, the test would replace /dev/stdout itself, so it uses links of its own: a direct one, a link to a
// link, and one through a folder.
TEST_F(AtomicFileTest, RefusesWhatLeadsToDevicesAndProcesses) {
  const auto open_file = folder_.add("open", kOld);
  const int descriptor = open(open_file.c_str(), O_RDWR);
  ASSERT_GE(descriptor, 0);
  const auto in_proc = fmt::format("/proc/self/fd/{}", descriptor);
  fs::create_symlink(in_proc, path());
  fs::create_symlink("model", folder_.path() / "second");
  fs::create_directory_symlink("/proc/self/fd", folder_.path() / "folder");
  fs::create_symlink("/dev/null", folder_.path() / "null");
  fs::create_symlink("/dev/no-such-device", folder_.path() / "dangling");
  const auto names = others();
  for (const auto& name :
       {path(), (folder_.path() / "second").string(), in_proc, std::string("/dev/null"),
        (folder_.path() / "folder" / std::to_string(descriptor)).string(), (folder_.path() / "null").string(),
        (folder_.path() / "dangling").string(), std::string("/dev/new-file"), std::string("/sys/new-file")}) {
    EXPECT_THAT([&] { AtomicFile{name}; },
                ThrowsMessage<IoError>(AllOf(HasSubstr(name), HasSubstr("leads into /dev, /proc or /sys"))));
  }
  EXPECT_TRUE(fs::is_symlink(path()));
  EXPECT_EQ(others(), names);
  EXPECT_EQ(read_file(open_file), kOld);
  close(descriptor);
}

// A link that leads nowhere or in a circle is replaced like any other; /dev/shm holds ordinary files.
TEST_F(AtomicFileTest, ReplacesOtherLinks) {
  for (const char* target : {"nowhere", "model", "/dev/shm/warpfit-no-such-file", "no/such/folder"}) {
    fs::remove(path());
    fs::create_symlink(target, path());
    replace();
    EXPECT_EQ(read_file(path()), kNew) << target;
  }
}

TEST_F(AtomicFileTest, KeepsThePermissionsOfTheFileThatItReplaces) {
  for (const mode_t mode : {0600U, 0444U, 0666U, 0640U}) {
    folder_.add("model", kOld);
    fs::permissions(path(), fs::perms{mode});
    replace();
    EXPECT_EQ(fs::status(path()).permissions(), fs::perms{mode});
    EXPECT_EQ(read_file(path()), kNew);
  }
}

TEST_F(AtomicFileTest, IsProvenWritableWithoutATrace) {
  check_writable(path());
  EXPECT_TRUE(fs::is_empty(folder_.path()));
  folder_.add("model", kOld);
  check_writable(path());
  EXPECT_EQ(read_file(path()), kOld);
  EXPECT_TRUE(is_alone());
  EXPECT_THROW(check_writable(path() + "/deeper"), IoError);
}

// If the run's folder is moved during training, its files are still written to it.
TEST_F(AtomicFileTest, StaysInTheFolderThatItWasOpenedIn) {
  const auto before = folder_.path() / "before";
  const auto after = folder_.path() / "after";
  fs::create_directory(before);
  const Folder folder(before.string());
  AtomicFile file({folder, "model"});
  file.write("new!");
  fs::rename(before, after);
  fs::create_directory(before);
  file.commit();
  EXPECT_EQ(read_file(after / "model"), kNew);
  EXPECT_TRUE(fs::is_empty(before));
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
  EXPECT_TRUE(is_alone());
}

TEST_F(AtomicFileTest, RefusesAPathWithoutAName) {
  EXPECT_THROW(AtomicFile{""}, IoError);
  EXPECT_THROW(AtomicFile{folder_.path().string() + "/"}, IoError);
}

TEST_F(AtomicFileTest, SaysWhereThereIsNoFolder) {
  EXPECT_THAT([this] { AtomicFile{path() + "/deeper"}; },
              ThrowsMessage<IoError>(AllOf(HasSubstr("deeper: cannot write: cannot open its folder"),
                                           HasSubstr("No such file"))));
}

// Root may write to every folder, so a child process drops that privilege first.
TEST_F(AtomicFileTest, SaysWhereAFolderMayNotBeWrittenTo) {
  fs::permissions(folder_.path(), fs::perms{0555});
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
  EXPECT_EXIT(open_it(), testing::ExitedWithCode(5),
              "model: cannot write: cannot create .*Permission denied");
  fs::permissions(folder_.path(), fs::perms::owner_all);
}

// Two runs with the same path: each writes its own temporary file, and the one that finishes last is kept.
TEST_F(AtomicFileTest, LetsASecondWriterWriteToo) {
  AtomicFile first(path());
  AtomicFile second(path());
  first.write("first");
  second.write("ne");
  first.commit();
  EXPECT_EQ(read_file(path()), (Bytes{'f', 'i', 'r', 's', 't'}));
  second.write("w!");
  second.commit();
  EXPECT_EQ(read_file(path()), kNew);
  EXPECT_TRUE(is_alone());
}

TEST_F(AtomicFileTest, GivesTheUsualPermissions) {
  const mode_t old_mask = umask(027);
  replace();
  umask(old_mask);
  EXPECT_EQ(fs::status(path()).permissions(), fs::perms{0640});
}

}  // namespace
}  // namespace warpfit::test
