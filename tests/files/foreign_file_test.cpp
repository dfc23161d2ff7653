#include "host/files/foreign_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>

#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

using namespace std::string_view_literals;
using testing::HasSubstr;

std::string_view name_of(std::string_view start) {
  const Bytes bytes(start.begin(), start.end());
  const auto found = recognize_foreign(bytes);
  return found ? found->name : "nothing";
}

std::string at_257(std::string_view text) { return std::string(257, '\0') + std::string(text); }

TEST(ForeignFile, IsNamedByItsFirstBytes) {
  const std::pair<std::string_view, std::string_view> kinds[] = {
      {"<!DOCTYPE html>"sv, "an HTML page"},
      {"\xEF\xBB\xBF \r\n<HTML lang=en>"sv, "an HTML page"},
      {"PK\x03\x04\x14\0\0\0"sv, "a zip archive"},
      {"PK\x05\x06"sv, "a zip archive"},
      {"PK\x03\x04\x14\0\0\0\0\0x_train.npy\x93NUMPY"sv, "an npz file of NumPy arrays"},
      {"\xFD"
       "7zXZ\0"sv,
       "an xz file"},
      {"BZh91AY"sv, "a bzip2 file"},
      {"\x28\xB5\x2F\xFD"sv, "a Zstandard file"},
      {"\x78\x9C\x01"sv, "a zlib stream"},
      {"\x1F\x8B\x08"sv, "gzip data"},
      {"version https://git-lfs.github.com/spec/v1"sv, "a Git LFS pointer, which stands for the file itself"},
      {"\x93NUMPY\x01\0"sv, "a NumPy array"},
      {"\x89PNG\r\n\x1A\n"sv, "a PNG image"},
      {"\xFF\xD8\xFF\xE0"sv, "a JPEG image"},
      {"\x89HDF\r\n\x1A\n"sv, "an HDF5 file, as Keras writes them"},
      {"\x03\x08\0\0"sv, "an IDX file with a little-endian header"},
      {"label,pixel0,pixel1\n"sv, "a text file"},
      {"{\"label\": {}}"sv, "a JSON file"},
      {"{\"metadata\": {}, \"weight_map\": {}}"sv, "the JSON index of a model in several files"},
  };
  for (const auto& [start, name] : kinds) EXPECT_EQ(name_of(start), name) << start;
  EXPECT_EQ(name_of(at_257("ustar\0"sv)), "a tar archive");
}

TEST(ForeignFile, IsPytorchsInBothOfItsFormats) {
  for (const auto start : {"PK\x03\x04\0\0\x08\x08\0\0archive/data.pkl"sv,
                           "\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9"sv, "\x80\x02}q\0."sv}) {
    const Bytes bytes(start.begin(), start.end());
    const auto found = recognize_foreign(bytes);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, "a checkpoint of PyTorch (a pickle)");
    EXPECT_THAT(std::string(found->advice), HasSubstr("save_file(torch.load("));
    EXPECT_TRUE(found->is_model);
  }
}

TEST(ForeignFile, IsNoIdxFileAndNothingThatIsUnknown) {
  for (const auto start : {"\0\0\x08\x03\0\0\0\x04"sv, ""sv, "a"sv, "\x01\x02\x03\x04\x05\x06\x07\x08\x09"sv,
                           "\x05\x08\0\0"sv, "PK"sv, "<h1>"sv}) {
    EXPECT_EQ(name_of(start), "nothing") << start;
  }
}

TEST(ForeignFile, IsDescribedInOneSentence) {
  const Bytes page{'<', 'h', 't', 'm', 'l', '>'};
  EXPECT_EQ(
      describe_foreign("x", *recognize_foreign(page), "an IDX file"),
      "x: is an HTML page, expected an IDX file; it may be the error page of a download server; download "
      "the file again");
}

}  // namespace
}  // namespace warpfit::test
