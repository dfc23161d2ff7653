#include "host/files/foreign_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>

#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

using namespace std::string_view_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

std::string_view name_of(std::string_view start, FileUse use = FileUse::kEither) {
  const Bytes bytes(start.begin(), start.end());
  const auto found = recognize_foreign(bytes, use);
  return found ? found->name : "nothing";
}

// What is said of a file that begins so, where something else is expected.
std::string advice(std::string_view start, FileUse use, const std::string& path = "dir/file") {
  const Bytes bytes(start.begin(), start.end());
  const auto found = recognize_foreign(bytes, use);
  if (!found) return "nothing";
  const auto text = describe_foreign(path, *found, "something else");
  const std::string end_of_name = "expected something else; ";
  return text.substr(text.find(end_of_name) + end_of_name.size());
}

constexpr auto kTorchZip = "PK\x03\x04\0\0\x08\x08\0\0archive/data.pkl"sv;
constexpr auto kIndex = "{\"metadata\": {}, \"weight_map\": {}}"sv;
constexpr auto kIdx = "\0\0\x08\x03\0\0\0\x04"sv;
constexpr auto kSafetensors = "\x10\0\0\0\0\0\0\0{"sv;

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
      {"BZh1\x17rE8P\x90"sv, "a bzip2 file"},  // an empty one
      {"\x28\xB5\x2F\xFD"sv, "a Zstandard file"},
      {"\x78\x9C\x01"sv, "a zlib stream"},
      {"\x78\x5E\x4B\xAC\0"sv, "a zlib stream"},
      {"\x1F\x8B\x08"sv, "gzip data"},
      {"version https://git-lfs.github.com/spec/v1"sv, "a Git LFS pointer, which stands for the file itself"},
      {"\x93NUMPY\x01\0"sv, "a NumPy array"},
      {"\x89PNG\r\n\x1A\n"sv, "a PNG image"},
      {"\xFF\xD8\xFF\xE0"sv, "a JPEG image"},
      {"\x89HDF\r\n\x1A\n"sv, "an HDF5 file, as Keras writes them"},
      {"\x03\x08\0\0"sv, "an IDX file with a little-endian header"},
      {"label,pixel0,pixel1\n"sv, "a text file"},
      {"{\"label\": {}}"sv, "a JSON file"},
      {kIndex, "the JSON index of a model in several files"},
  };
  for (const auto& [start, name] : kinds) EXPECT_EQ(name_of(start), name) << start;
  EXPECT_EQ(name_of(at_257("ustar\0"sv)), "a tar archive");
}

TEST(ForeignFile, IsPytorchsInBothOfItsFormats) {
  for (const auto start : {kTorchZip, "\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9"sv, "\x80\x02}q\0."sv}) {
    const Bytes bytes(start.begin(), start.end());
    const auto found = recognize_foreign(bytes, FileUse::kModel);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, "a checkpoint of PyTorch (a pickle)");
    EXPECT_THAT(std::string(found->advice), HasSubstr("save_file(torch.load("));
    EXPECT_TRUE(found->is_model);
  }
}

TEST(ForeignFile, IsNoIdxFileAndNothingThatIsUnknown) {
  for (const auto start :
       {kIdx, ""sv, "a"sv, "\x01\x02\x03\x04\x05\x06\x07\x08\x09"sv, "\x05\x08\0\0"sv, "PK"sv, "<h1>"sv}) {
    EXPECT_EQ(name_of(start), "nothing") << start;
  }
}

TEST(ForeignFile, IsTextIfItOnlyBeginsLikeACompressedFile) {
  for (const auto start :
       {"x^2,1,2,3\n"sv, "x\x01y"sv, "BZhello, world"sv, "BZh5ello, world"sv, "BZh0 or not"sv})
    EXPECT_EQ(name_of(start), start == "x\x01y"sv ? "a zlib stream" : "a text file") << start;
  EXPECT_EQ(name_of("x^2,1,2"sv), "nothing");
  EXPECT_EQ(name_of("BZh"sv), "nothing");
}

TEST(ForeignFile, IsAnIdxFileWhereAModelIsExpected) {
  EXPECT_EQ(name_of(kIdx, FileUse::kModel), "an IDX file (images or labels)");
  EXPECT_EQ(name_of(kIdx, FileUse::kData), "nothing");
  EXPECT_EQ(name_of("\0\0\x0A\x03\0\0\0\x04"sv, FileUse::kModel), "nothing");
  EXPECT_EQ(name_of("\0\0\x08\x05\0\0\0\x04"sv, FileUse::kModel), "nothing");
  EXPECT_EQ(name_of(kSafetensors, FileUse::kData), "a safetensors file (a model)");
  EXPECT_EQ(name_of(kSafetensors, FileUse::kModel), "nothing");
  EXPECT_EQ(name_of("\x80\x04"sv, FileUse::kData), "a Python pickle");
}

TEST(ForeignFile, HasAdviceForWhatIsExpected) {
  const auto text = "label,pixel0,pixel1\n"sv, gzip = "\x1F\x8B\x08"sv;
  const auto npz = "PK\x03\x04\x14\0\0\0\0\0x_train.npy\x93NUMPY"sv;
  EXPECT_THAT(advice(text, FileUse::kData), HasSubstr("make_idx from-csv"));
  EXPECT_THAT(advice(text, FileUse::kModel), HasSubstr("name the file that has the weights"));
  EXPECT_EQ(advice(gzip, FileUse::kData), "decompress it with gunzip");
  EXPECT_THAT(advice(gzip, FileUse::kModel), HasSubstr("if it has images or labels, it is no model"));
  EXPECT_THAT(advice(npz, FileUse::kData), HasSubstr("make_idx from-npz"));
  EXPECT_THAT(advice(npz, FileUse::kModel), HasSubstr("dir/file model.safetensors"));
  for (const auto pickle : {kTorchZip, "\x80\x02}q\0."sv}) {
    EXPECT_THAT(advice(pickle, FileUse::kData), HasSubstr("make_idx from-npy"));
    EXPECT_THAT(advice(pickle, FileUse::kData), Not(HasSubstr("save_file")));
    EXPECT_THAT(advice(pickle, FileUse::kEither), HasSubstr("save_file"));
  }
  for (const auto model : {kSafetensors, kIndex, "\x08\x07\x12\x04"sv})
    EXPECT_THAT(advice(model, FileUse::kData), HasSubstr("name the files with the images and labels"));
}

TEST(ForeignFile, IsNamedInTheCommandThatConvertsIt) {
  const auto command = [](const std::string& path) { return advice(kTorchZip, FileUse::kModel, path); };
  EXPECT_THAT(command("runs/best-1.pt"), EndsWith(" runs/best-1.pt model.safetensors"));
  EXPECT_THAT(command("my model.pt"), EndsWith(" 'my model.pt' model.safetensors"));
  EXPECT_THAT(command("it's $x.pt"), EndsWith(R"( 'it'\''s $x.pt' model.safetensors)"));
  EXPECT_THAT(command("~x.pt"), EndsWith(" '~x.pt' model.safetensors"));
  EXPECT_THAT(advice(kIndex, FileUse::kModel, "m/model.safetensors.index.json"),
              EndsWith(" m/model.safetensors.index.json merged.safetensors"));
}

// `inspect` reads as ONNX exactly what is named so elsewhere.
TEST(ForeignFile, IsOnnxByItsFirstFields) {
  for (const auto start : {"\x08\x07\x12\x04"sv, "\x08\x08\x3A"sv, "\x08\x0A\x42"sv, "\x08\x03\x1A"sv,
                           "\x08\x40\x32"sv, "\x08\x08"sv}) {
    EXPECT_EQ(name_of(start), "an ONNX file") << start;
  }
  for (const auto start : {"\x08\0\x12"sv, "\x08\x88\x12"sv, "\x08\x07\x13"sv, "\x08"sv, "\x09\x07\x12"sv})
    EXPECT_EQ(name_of(start), "nothing") << start;
}

TEST(ForeignFile, IsDescribedInOneSentence) {
  const Bytes page{'<', 'h', 't', 'm', 'l', '>'};
  EXPECT_EQ(
      describe_foreign("x", *recognize_foreign(page, FileUse::kData), "an IDX file"),
      "x: is an HTML page, expected an IDX file; it may be the error page of a download server; download "
      "the file again");
}

}  // namespace
}  // namespace warpfit::test
