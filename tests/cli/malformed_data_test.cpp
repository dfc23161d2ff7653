// Invalid data files: each ends the program with the documented exit code, within a second and 64 MiB, with
// one message that names the file and the problem, and nothing on standard output.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <functional>

#include "tests/support/files.hpp"
#include "tests/support/program.hpp"
#include "tests/support/sanitizers.hpp"

namespace warpfit::test {
namespace {

constexpr int kBadData = 3;
constexpr int kIo = 5;
constexpr std::string_view kFiles[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                       "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

const Bytes kImages = idx({4, 2, 2}, Bytes(16, 9));
const Bytes kLabels = idx({4}, {0, 1, 2, 1});

Bytes first_bytes(const Bytes& bytes, std::size_t count) {
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count)};
}

Bytes flipped(Bytes bytes, std::size_t at) {
  bytes[at] ^= 0x40;
  return bytes;
}

struct BadFile {
  std::string name;
  std::size_t file;  // index in kFiles
  Bytes bytes;
  int exit_code;
  std::string message;
};

std::vector<BadFile> bad_files() {
  const Bytes packed = gzip(kImages);
  std::vector<BadFile> cases{
      {"empty", 0, {}, kBadData, "is empty"},
      {"three_bytes", 0, {0, 0, 8}, kBadData, "has 3 bytes"},
      {"one_byte", 1, {0}, kBadData, "has 1 bytes"},
      {"wrong_magic", 0, Bytes{1, 2, 8, 3} + Bytes(100), kBadData, "01020803 at byte 0"},
      {"text_file", 1, Bytes(200, 'a'), kBadData,
       "is a text file, expected an IDX file; tools/make_idx from-csv"},
      {"header_cut", 0, first_bytes(kImages, 10), kBadData, "ends at byte 10, inside its header of 16 bytes"},
      {"swapped", 0, kLabels, kBadData,
       "1 dimensions at byte 3, expected 2 to 4; are images and labels swapped?"},
      {"labels_swapped", 1, kImages, kBadData, "3 dimensions at byte 3, expected 1 to 2"},
      {"rank_0", 1, idx({}, Bytes(8)), kBadData, "0 dimensions at byte 3"},
      {"rank_5", 0, idx({1, 1, 1, 1, 1}, {0}), kBadData, "5 dimensions at byte 3"},
      {"rank_255", 0, Bytes{0, 0, 8, 255} + Bytes(2000, 1), kBadData, "255 dimensions at byte 3"},
      {"more_images", 0, idx({5, 2, 2}, Bytes(20)), kBadData, "4 labels at byte 4, but"},
      {"fewer_labels", 3, idx({3}, {0, 1, 2}), kBadData, "3 labels at byte 4, but"},
      {"no_images", 0, idx({0, 2, 2}, {}), kBadData, "dimension 0 is 0 at byte 4"},
      {"no_labels", 1, idx({0}, {}), kBadData, "dimension 0 is 0 at byte 4"},
      {"no_columns", 2, idx({4, 2, 0}, {}), kBadData, "dimension 2 is 0 at byte 12"},
      {"overflow", 0, idx({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, Bytes(16)), kBadData,
       "give more elements than"},
      {"overflow_to_small", 0, idx({0x80000000, 0x80000000, 4}, Bytes(16)), kBadData,
       "give more elements than"},
      {"overflow_32_bits", 0, idx({65536, 65536, 1}, Bytes(16)), kBadData, "expected 4294967312"},
      {"too_short", 0, first_bytes(kImages, 31), kBadData, "has 31 bytes, expected 32"},
      {"too_long", 0, kImages + Bytes{7}, kBadData, "more data follows at byte 32"},
      {"labels_too_long", 1, kLabels + Bytes{0, 0}, kBadData, "more data follows at byte 12"},
      {"test_label_too_high", 3, idx({4}, {0, 1, 3, 1}), kBadData,
       "label 3 at byte 10, expected labels below 3"},
      {"test_shape_differs", 2, idx({4, 4, 1}, Bytes(16)), kBadData, "samples of 4x1"},
      {"gzip_wrong_magic", 0, gzip(Bytes{1, 2, 8, 3} + Bytes(100)), kBadData, "01020803 at byte 0"},
      {"gzip_rubbish_after", 0, packed + Bytes{'x', 'y'}, kBadData, "2 bytes follow the gzip data"},
      {"gzip_zeros_after", 0, packed + Bytes(100), kBadData, "100 bytes follow the gzip data"},
      {"gzip_second_member_cut", 0, packed + first_bytes(packed, 5), kBadData, "is truncated"},
      {"gzip_second_member", 0, packed + packed, kBadData, "continues at byte 32"},
      {"gzip_data_too_short", 0, gzip(first_bytes(kImages, 31)), kBadData, "truncated at byte 31"},
      {"gzip_data_too_long", 0, gzip(kImages + Bytes{7}), kBadData, "continues at byte 32"},
      {"gzip_checksum", 0, flipped(packed, packed.size() - 8), kBadData, "damaged"},
      {"gzip_length", 0, flipped(packed, packed.size() - 4), kBadData, "damaged"},
      {"gzip_bomb", 0, gzip(idx({4, 2, 2}, {}), 50'000'000), kBadData, "continues at byte 32"},
      {"gzip_promises_too_much", 0, gzip(idx({0x7FFFFFFF, 28, 28}, Bytes(784))), kBadData, "it is truncated"},
      {"gzip_promises_much", 0, gzip(idx({100'001, 40, 1}, {}), 4'000'000), kBadData,
       "100001 samples at byte 4"},
      {"gzip_of_gzip", 0, gzip(packed), kBadData, "was compressed with gzip twice"},
      {"gzip_of_zeros", 0, gzip({}, 8'000'000), kBadData, "element type 0x00 (an unknown type) at byte 2"},
  };
  const auto text = [](std::string_view line) { return Bytes(line.begin(), line.end()); };
  const auto page = text("<!DOCTYPE html>\n<html><title>503 Service Unavailable</title></html>\n");
  const std::vector<BadFile> foreign{
      {"html", 0, page, kBadData, "is an HTML page"},
      {"html_in_gzip", 0, gzip(page), kBadData, "the decompressed data is an HTML page"},
      {"pickle", 0, Bytes{0x80, 4} + Bytes(20), kBadData, "save its images and labels as NumPy arrays"},
      {"model", 0, Bytes{2, 0, 0, 0, 0, 0, 0, 0, '{', '}'}, kBadData, "is a safetensors file (a model)"},
      {"lfs", 1, text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 47040016\n"),
       kBadData, "git lfs pull"},
      {"little_endian_header", 0, Bytes{3, 8, 0, 0} + Bytes(100), kBadData, "little-endian header"},
      {"little_endian_dimensions", 0, Bytes{0, 0, 8, 3, 4, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0} + Bytes(16),
       kBadData, "little-endian: as such, they are 4x2x2"},
      {"little_endian_labels", 1, Bytes{0, 0, 8, 1, 4, 0, 0, 0} + Bytes(4), kBadData,
       "little-endian: as such, they are 4"},
      {"images_of_16_bits", 2, idx({4, 2, 2}, Bytes(32), 0x0B), kBadData, "tools/make_idx from-idx"},
      {"float_labels", 3, idx({4}, Bytes(16), 0x0D), kBadData, "expected labels of an integer type"},
      {"negative_label", 3, idx({4}, {0, 1, 0xFF, 1}, 0x09), kBadData, "label -1 of sample 2 at byte 10"},
  };
  cases.insert(cases.end(), foreign.begin(), foreign.end());
  constexpr std::uint8_t kOtherTypes[] = {0x00, 0x09, 0x0B, 0x0C, 0x0D, 0x0E, 0xFF};
  for (const auto type : kOtherTypes) {
    cases.push_back(
        {"type_" + std::to_string(type), 0, idx({4, 2, 2}, Bytes(128), type), kBadData, "at byte 2"});
  }
  for (const std::size_t size : {0UL, 5UL, 9UL, packed.size() / 2, packed.size() - 1}) {
    if (size > 1)
      cases.push_back(
          {"gzip_cut_" + std::to_string(size), 0, first_bytes(packed, size), kBadData, "truncated"});
  }
  for (std::size_t file = 0; file < 4; ++file) {
    const Bytes& whole = file % 2 == 0 ? kImages : kLabels;
    for (std::size_t size = 0; size < whole.size(); ++size) {
      cases.push_back({"prefix_" + std::to_string(file) + "_" + std::to_string(size), file,
                       first_bytes(whole, size), kBadData, std::string(kFiles[file])});
    }
  }
  return cases;
}

class MalformedData : public testing::Test {
 protected:
  void SetUp() override {
    for (std::size_t i = 0; i < 4; ++i) folder_.add(std::string(kFiles[i]), i % 2 == 0 ? kImages : kLabels);
  }

  [[nodiscard]] std::string path(std::size_t file) const { return (folder_.path() / kFiles[file]).string(); }
  [[nodiscard]] std::vector<std::string> arguments() const {
    return {"train", "--device", "cpu", "--data", folder_.path().string(), "--epochs", "1"};
  }
  void expect_refused(int exit_code, const std::string& message) {
    const auto run = run_warpfit(arguments());
    EXPECT_EQ(run.exit_code, exit_code) << run.error;
    EXPECT_NE(run.error.find(message), std::string::npos) << run.error << "expected: " << message;
    EXPECT_NE(run.error.find(folder_.path().string()), std::string::npos) << "names no file: " << run.error;
    EXPECT_EQ(std::count(run.error.begin(), run.error.end(), '\n'), 1) << run.error;
    EXPECT_EQ(run.out, "");
    EXPECT_LT(run.seconds, kSanitized ? 20 : 1);
    EXPECT_LT(run.peak_kilobytes - idle_.peak_kilobytes, kSanitized ? 512 * 1024 : 64 * 1024);
  }

  TemporaryFolder folder_;
  Outcome idle_ = run_warpfit({"--version"});
};

TEST_F(MalformedData, IsAcceptedWhereNothingIsWrong) {
  const auto run = run_warpfit(arguments());
  EXPECT_EQ(run.exit_code, 0) << run.error;
}

TEST_F(MalformedData, EachIsRefusedWithItsReason) {
  EXPECT_GE(bad_files().size(), 137U);
  for (const auto& bad : bad_files()) {
    SCOPED_TRACE(bad.name);
    folder_.add(std::string(kFiles[bad.file]), bad.bytes);
    expect_refused(bad.exit_code, bad.message);
    folder_.add(std::string(kFiles[bad.file]), bad.file % 2 == 0 ? kImages : kLabels);
  }
}

TEST_F(MalformedData, MissingFile) {
  std::filesystem::remove(path(0));
  expect_refused(kIo, "no train-images-idx3-ubyte or train-images-idx3-ubyte.gz in it");
}

TEST_F(MalformedData, FolderInsteadOfAFile) {
  std::filesystem::remove(path(1));
  std::filesystem::create_directory(path(1));
  expect_refused(kIo, "no train-labels-idx1-ubyte or train-labels-idx1-ubyte.gz in it");
}

// As an interrupted download leaves them.
TEST_F(MalformedData, IncompleteFileNextToAGzipFile) {
  folder_.add(std::string(kFiles[0]) + ".gz", gzip(kImages));
  for (const std::size_t size : {0UL, 3UL, 12UL, 20UL}) {
    folder_.add(std::string(kFiles[0]), first_bytes(kImages, size));
    expect_refused(kBadData, "there is " + path(0) + ".gz as well: remove the incomplete file");
  }
}

TEST_F(MalformedData, PipeInsteadOfAFile) {
  std::filesystem::remove(path(1));
  ASSERT_EQ(mkfifo(path(1).c_str(), 0600), 0);
  expect_refused(kIo, "is not a regular file");
}

TEST_F(MalformedData, DanglingLink) {
  std::filesystem::remove(path(2));
  std::filesystem::create_symlink("nowhere", path(2));
  expect_refused(kIo, "t10k-images-idx3-ubyte");
}

// An uncompressed file is read in every epoch, so a change is detected whenever it happens.
TEST_F(MalformedData, FileThatChangesWhileItIsRead) {
  using Change = std::function<void(const std::string&)>;
  const std::vector<Change> changes{
      [](const std::string& file) { std::filesystem::resize_file(file, 20); },
      [](const std::string& file) { write_file(file, kImages + Bytes(100)); },
      [](const std::string& file) {
        write_file(file, idx({4, 2, 2}, Bytes(16, 200)));
      },
  };
  for (const auto& change : changes) {
    folder_.add(std::string(kFiles[0]), kImages);
    auto endless = arguments();
    endless.back() = "1000000";
    Program program(endless);
    ASSERT_TRUE(program.wait_for("Epoch 3\n"));
    change(path(0));
    const auto run = program.finish();
    EXPECT_EQ(run.exit_code, kIo) << run.error;
    EXPECT_NE(run.error.find(path(0)), std::string::npos) << run.error;
    EXPECT_NE(run.error.find("while it"), std::string::npos) << run.error;
  }
}

}  // namespace
}  // namespace warpfit::test
