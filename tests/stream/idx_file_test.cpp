#include "host/stream/idx_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "host/base/error.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

Bytes counting(std::size_t size) {
  Bytes bytes(size);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  return bytes;
}

const Bytes kSmall = idx({3, 2, 2}, counting(12));

class IdxFileTest : public testing::Test {
 protected:
  [[nodiscard]] std::string add(const Bytes& bytes) const { return folder_.add("data", bytes); }
  TemporaryFolder folder_;
};

TEST_F(IdxFileTest, ReadsPlainAndGzipAlike) {
  for (const auto& bytes : {kSmall, gzip(kSmall)}) {
    const IdxFile file(add(bytes), 2, 4);
    EXPECT_EQ(file.dimensions(), (std::vector<std::int64_t>{3, 2, 2}));
    EXPECT_EQ(file.sample_size(), 4);
    Bytes samples(8);
    file.read(1, samples);
    EXPECT_EQ(samples, (Bytes{4, 5, 6, 7, 8, 9, 10, 11}));
    EXPECT_EQ(file.byte_of(1), 20);
  }
}

// Evicts the file from the system's page cache, if possible.
void evict(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY);
  ASSERT_EQ(fsync(descriptor), 0);
  posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
  close(descriptor);
}

TEST_F(IdxFileTest, GathersSamplesFromCacheAndDisk) {
  constexpr std::uint32_t kCount = 1000;
  constexpr std::size_t kSize = 5000;  // more than a page, wherever the file begins in it
  Bytes elements(kCount * kSize);
  for (std::size_t i = 0; i < elements.size(); ++i)
    elements[i] = static_cast<std::uint8_t>(i * 2654435761U >> 24);
  std::vector<std::uint32_t> order(kCount);
  for (std::uint32_t i = 0; i < kCount; ++i) order[i] = i * 7 % kCount;
  const auto plain = idx({kCount, kSize}, elements);
  for (const auto& bytes : {plain, gzip(plain)}) {
    const auto path = add(bytes);
    const IdxFile file(path, 2, 4);
    for (const bool cached : {false, true}) {
      if (!cached) evict(path);
      Bytes samples(elements.size());
      file.gather(order, samples);
      for (std::uint32_t i = 0; i < kCount; ++i) {
        const auto* expected = elements.data() + order[i] * kSize;
        ASSERT_TRUE(std::equal(expected, expected + kSize, samples.data() + i * kSize)) << i << cached;
      }
    }
  }
}

// The system would grant the memory, and kill the process when it writes to it.
TEST_F(IdxFileTest, RefusesGzipThatDecodesToMoreThanThereIsMemory) {
  constexpr std::uint64_t kPacked = std::uint64_t{1} << 36;  // zeros, which take no space on the disk
  const auto path = add(gzip(idx({1U << 31, 1U << 14}, {}), 1 << 20));
  std::filesystem::resize_file(path, 100);  // within the data
  std::filesystem::resize_file(path, kPacked);
  try {
    const IdxFile file(path, 2, 4);
    FAIL() << "took 35184372088832 bytes";
  } catch (const OutOfMemory& error) {
    const std::string said(error.what());
    EXPECT_NE(said.find("2147483648x16384 need 35184372088832 bytes"), std::string::npos) << said;
  }
}

TEST_F(IdxFileTest, TakesEveryRankItWasAskedFor) {
  EXPECT_EQ(IdxFile(add(idx({6}, counting(6))), 1, 1).sample_size(), 1);
  EXPECT_EQ(IdxFile(add(idx({2, 3}, counting(6))), 2, 4).sample_size(), 3);
  EXPECT_EQ(IdxFile(add(idx({2, 1, 3, 1}, counting(6))), 2, 4).sample_size(), 3);
}

TEST_F(IdxFileTest, ReadsGzipOfSeveralMembers) {
  const Bytes first(kSmall.begin(), kSmall.begin() + 7);
  const Bytes second(kSmall.begin() + 7, kSmall.end());
  const IdxFile file(add(gzip(first) + gzip(second)), 2, 4);
  EXPECT_EQ(file.count(), 3);
}

TEST_F(IdxFileTest, RefusesEveryPrefix) {
  for (const auto& whole : {kSmall, gzip(kSmall)}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const auto path = add(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
      EXPECT_THROW(IdxFile(path, 2, 4), DataError) << size << " of " << whole.size() << " bytes";
    }
  }
}

// A flipped bit may change fields that gzip does not check (name, flags, time, system), but never the
// samples.
TEST_F(IdxFileTest, RefusesEveryFlippedBitOfGzipThatChangesTheData) {
  const Bytes whole = gzip(kSmall);
  int refused = 0;
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    Bytes damaged = whole;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto path = add(damaged);
    try {
      const IdxFile file(path, 2, 4);
      Bytes samples(12);
      file.read(0, samples);
      EXPECT_EQ(samples, counting(12)) << "bit " << bit;
    } catch (const DataError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, static_cast<int>(whole.size() * 8 * 3 / 4));
}

TEST_F(IdxFileTest, FailsWhereTheFileGetsShorterWhileItIsRead) {
  const auto path = add(kSmall);
  const IdxFile file(path, 2, 4);
  std::filesystem::resize_file(path, 20);
  Bytes samples(12);
  EXPECT_THROW(file.read(0, samples), IoError);
  EXPECT_THROW(file.gather(std::vector<std::uint32_t>{0, 2, 1}, samples), IoError);
}

TEST_F(IdxFileTest, NoticesARewrittenFile) {
  const auto path = add(kSmall);
  const IdxFile file(path, 2, 4);
  file.check_unchanged(3);
  std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) + std::chrono::seconds(1));
  EXPECT_THROW(file.check_unchanged(3), IoError);
}

// Root may read every file, so a child process drops that privilege first.
TEST_F(IdxFileTest, SaysWhereAFileMayNotBeRead) {
  const auto path = add(kSmall);
  std::filesystem::permissions(folder_.path(), std::filesystem::perms::all);
  std::filesystem::permissions(path, std::filesystem::perms::none);
  const auto open_it = [&path] {
    constexpr uid_t kNobody = 65'534;
    if (geteuid() == 0 && seteuid(kNobody) != 0) _exit(1);
    try {
      const IdxFile file(path, 2, 4);
    } catch (const IoError& error) {
      std::fputs(error.what(), stderr);
      _exit(static_cast<int>(error.code()));
    }
    _exit(0);
  };
  EXPECT_EXIT(open_it(), testing::ExitedWithCode(5), "data: cannot open: Permission denied");
}

}  // namespace
}  // namespace warpfit::test
