#include "host/files/npz.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <zlib.h>

#include <array>
#include <cstring>
#include <filesystem>

#include "host/base/error.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::array<std::uint8_t, 3> kNumbers{7, 8, 9};

std::span<const std::byte> numbers() { return std::as_bytes(std::span(kNumbers)); }

Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

// A zip file, read as its specification (APPNOTE.TXT) describes: from the end, through the directory, to each
// entry.
class Zip {
 public:
  struct Entry {
    std::string name;
    Bytes data;
  };

  explicit Zip(Bytes bytes) : bytes_(std::move(bytes)) {
    const auto end = bytes_.size() - 22;
    EXPECT_EQ(number(end, 4), 0x06054B50U);
    const auto count = number(end + 10, 2);
    EXPECT_EQ(number(end + 8, 2), count);
    std::size_t at = number(end + 16, 4);
    EXPECT_EQ(at + number(end + 12, 4), end);
    for (std::uint64_t i = 0; i < count; ++i) {
      EXPECT_EQ(number(at, 4), 0x02014B50U);
      entries_.push_back(entry(number(at + 42, 4), at));
      at += 46 + number(at + 28, 2);
    }
    EXPECT_EQ(at, end);
  }

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

 private:
  [[nodiscard]] std::uint64_t number(std::size_t at, std::size_t size) const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value |= std::uint64_t{bytes_.at(at + i)} << 8 * i;
    return value;
  }
  [[nodiscard]] Bytes part(std::size_t at, std::size_t size) const {
    const auto first = bytes_.begin() + static_cast<std::ptrdiff_t>(at);
    return {first, first + static_cast<std::ptrdiff_t>(size)};
  }

  // The local header of an entry, whose fields must equal those in the directory.
  [[nodiscard]] Entry entry(std::size_t at, std::size_t in_directory) const {
    EXPECT_EQ(number(at, 4), 0x04034B50U);
    EXPECT_EQ(part(at + 4, 26), part(in_directory + 6, 26));
    EXPECT_EQ(number(at + 8, 2), 0U) << "compressed";
    const auto name_size = number(at + 26, 2);
    const auto name = part(at + 30, name_size);
    EXPECT_EQ(name, part(in_directory + 46, name_size));
    auto data = part(at + 30 + name_size, number(at + 18, 4));
    EXPECT_EQ(number(at + 22, 4), data.size());
    EXPECT_EQ(number(at + 14, 4), crc32(0, data.data(), static_cast<uInt>(data.size())));
    return {{name.begin(), name.end()}, std::move(data)};
  }

  Bytes bytes_;
  std::vector<Entry> entries_;
};

class NpzTest : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return (folder_.path() / "model.npz").string(); }
  [[nodiscard]] Zip::Entry written(const TensorView& tensor) const {
    write_npz(path(), std::span(&tensor, 1));
    const Zip zip(read_file(path()));
    return zip.entries().size() == 1 ? zip.entries().front() : Zip::Entry{};
  }
  void expect_refused(const TensorView& tensor, const std::string& message) const {
    EXPECT_THAT([&] { write_npz(path(), std::span(&tensor, 1)); },
                ThrowsMessage<ModelError>(AllOf(HasSubstr(path()), HasSubstr(message))));
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  }

  TemporaryFolder folder_;
};

// The CRC of the .npy is Python's zlib.crc32 of these bytes.
TEST_F(NpzTest, WritesExactlyTheBytesWrittenByHand) {
  const Bytes npy =
      Bytes{0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 118, 0} +
      bytes_of("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }" + std::string(60, ' ')) +
      Bytes{'\n', 7, 8, 9};
  ASSERT_EQ(npy.size(), 131U);
  const Bytes fields{20,   0,    0,    8,   0, 0, 0, 0,   0x21, 0, 0x0C,  //
                     0x9E, 0x39, 0xAF, 131, 0, 0, 0, 131, 0,    0, 0,    5, 0, 0, 0};
  const Bytes local = Bytes{'P', 'K', 3, 4} + fields + bytes_of("n.npy") + npy;
  const Bytes directory = Bytes{'P', 'K', 1, 2, 20, 0} + fields + Bytes(14) + bytes_of("n.npy");
  const Bytes end{'P', 'K', 5, 6, 0, 0, 0, 0, 1, 0, 1, 0, 51, 0, 0, 0, 166, 0, 0, 0, 0, 0};
  write_npz(path(), std::vector<TensorView>{{"n", DType::kU8, {3}, numbers()}});
  EXPECT_EQ(read_file(path()), local + directory + end);
}

TEST_F(NpzTest, HoldsEachTensorInOrder) {
  constexpr std::array<float, 6> kFloats{0, -1, 2.5F, 3, 4, 5};
  const auto floats = std::as_bytes(std::span(kFloats));
  write_npz(path(), std::vector<TensorView>{{"2.weight", DType::kF32, {2, 3}, floats},
                                            {"0.bias", DType::kU8, {3}, numbers()},
                                            {"deep/ä", DType::kF64, {}, floats.first(8)}});
  const Zip zip(read_file(path()));
  ASSERT_EQ(zip.entries().size(), 3U);
  EXPECT_EQ(zip.entries()[0].name, "2.weight.npy");
  EXPECT_EQ(zip.entries()[1].name, "0.bias.npy");
  EXPECT_EQ(zip.entries()[2].name, "deep/ä.npy");
  const auto& weights = zip.entries()[0].data;
  ASSERT_EQ(weights.size(), 128U + 24U);
  EXPECT_EQ(std::memcmp(&weights[128], kFloats.data(), 24), 0);
  EXPECT_EQ(zip.entries()[1].data.size(), 128U + 3U);
}

TEST_F(NpzTest, AlignsTheDataAndSpellsShapesAsPython) {
  const std::vector<std::byte> data(8);
  const auto header = [&](DType dtype, const std::vector<std::int64_t>& shape, std::size_t size) {
    const auto npy = written({"a", dtype, shape, std::span(data).first(size)}).data;
    EXPECT_EQ((npy.size() - size) % 64, 0U);
    EXPECT_EQ(npy.at(npy.size() - size - 1), '\n');
    EXPECT_EQ(npy.size() - size, 10U + npy.at(8) + 256U * npy.at(9));
    return std::string(npy.begin() + 10, npy.end());
  };
  EXPECT_THAT(header(DType::kF32, {2, 1}, 8), testing::StartsWith("{'descr': '<f4', 'fortran_order': False, "
                                                                  "'shape': (2, 1), } "));
  EXPECT_THAT(header(DType::kI64, {}, 8), HasSubstr("'<i8', 'fortran_order': False, 'shape': (), }"));
  EXPECT_THAT(header(DType::kF64, {1}, 8), HasSubstr("'<f8', 'fortran_order': False, 'shape': (1,), }"));
  EXPECT_THAT(header(DType::kU32, {1, 2, 1}, 8),
              HasSubstr("'<u4', 'fortran_order': False, 'shape': (1, 2, 1), }"));
  EXPECT_THAT(header(DType::kBool, {0, 7}, 0),
              HasSubstr("'|b1', 'fortran_order': False, 'shape': (0, 7), }"));
  // The maximum length of a header with this many dimensions.
  EXPECT_THAT(header(DType::kI8, std::vector<std::int64_t>(32, 1), 1), HasSubstr("1, 1), }"));
}

TEST_F(NpzTest, WritesAnEmptyFile) {
  write_npz(path(), {});
  EXPECT_TRUE(Zip(read_file(path())).entries().empty());
}

TEST_F(NpzTest, RefusesWhatNumPyDoesNotHave) {
  expect_refused({"a", DType::kBF16, {1}, numbers().first(2)},
                 "dimensions of type BF16, which NumPy does not support");
  expect_refused({"a", DType::kU8, std::vector<std::int64_t>(33, 1), numbers().first(1)}, "33 dimensions");
}

// NumPy does not extract the entries as files, but other programs do.
TEST_F(NpzTest, RefusesNamesThatWouldLeaveTheFolder) {
  for (const std::string name : {"", "/etc/a", "../a", "a/../../b", "..\\a", "a\nb", "a\tb", "\\a"}) {
    expect_refused({name, DType::kU8, {3}, numbers()}, "whose name is not a valid file name");
  }
  expect_refused({std::string(252, 'a'), DType::kU8, {3}, numbers()}, "whose name is not a valid file name");
  expect_refused({"a\xFF", DType::kU8, {3}, numbers()}, "UTF-8");
}

TEST_F(NpzTest, RefusesDataThatDoesNotFitItsShape) {
  EXPECT_THROW(write_npz(path(), std::vector<TensorView>{{"a", DType::kU8, {4}, numbers()}}), InternalError);
  EXPECT_THROW(write_npz(path(), std::vector<TensorView>(2, {"a", DType::kU8, {3}, numbers()})),
               InternalError);
}

// The pages are unreadable: the size must be checked before the data is read.
TEST_F(NpzTest, RefusesWhatAPlainZipCannotHold) {
  constexpr std::size_t kSize = (1ULL << 32) - 237;  // one byte too many, with 236 bytes of zip headers
  void* const pages = mmap(nullptr, kSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  const std::span data(static_cast<const std::byte*>(pages), kSize);
  expect_refused({"a", DType::kU8, {kSize}, data}, "expected at most 65534 in 4294967294 for .npz");
  munmap(pages, kSize);
}

}  // namespace
}  // namespace warpfit::test
