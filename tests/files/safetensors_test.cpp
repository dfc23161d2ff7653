// The reader and the writer are tested with files whose bytes are given here, not made by our own writer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "host/base/error.hpp"
#include "host/files/safetensors_file.hpp"
#include "host/files/safetensors_writer.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::ThrowsMessage;

// As PyTorch users write them: no checksum, tensors in any order, blanks.
const Bytes kForeign = safetensors(
    R"({"b": {"dtype": "U8", "shape": [], "data_offsets": [8, 9]}, "__metadata__": {"format": "pt"},)"
    R"( "a": {"data_offsets": [0, 8], "dtype": "F32", "shape": [1, 2]}} )",
    {0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0, 7});

// As warpfit writes them; the checksum is Python's zlib.crc32 of these bytes with '0' in place of its digits.
const std::string kOwnHeader = R"({"__metadata__":{"made by":"hand","warpfit.crc32":"efc5c444"},)"
                               R"("w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
                               R"("n":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}})"
                               "        ";
const Bytes kOwn = safetensors(kOwnHeader.substr(0, 176), {0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0, 7, 8, 9});

constexpr std::array<float, 2> kWeights{1, -2};
constexpr std::array<std::uint8_t, 3> kNumbers{7, 8, 9};

std::vector<TensorView> own_tensors() {
  return {{"w", DType::kF32, {1, 2}, std::as_bytes(std::span(kWeights))},
          {"n", DType::kU8, {3}, std::as_bytes(std::span(kNumbers))}};
}

template <class T>
std::vector<T> values_of(const SafetensorsFile& file, const std::string& name) {
  const auto* tensor = file.find(name);
  if (tensor == nullptr) return {};
  std::vector<T> values(tensor->size / sizeof(T));
  file.read(*tensor, std::as_writable_bytes(std::span(values)));
  return values;
}

class SafetensorsTest : public testing::Test {
 protected:
  std::string add(const Bytes& bytes) const { return folder_.add("model.safetensors", bytes); }
  [[nodiscard]] std::string path() const { return (folder_.path() / "model.safetensors").string(); }

  // The existing file is not changed.
  template <class E>
  void expect_refused(const Metadata& metadata, const std::vector<TensorView>& tensors) {
    add(kOwn);
    EXPECT_THAT([&] { write_safetensors(path(), metadata, tensors); }, ThrowsMessage<E>(HasSubstr(path())));
    EXPECT_EQ(read_file(path()), kOwn);
    EXPECT_FALSE(std::filesystem::exists(path() + ".tmp"));
  }

  TemporaryFolder folder_;
};

TEST_F(SafetensorsTest, ReadsAForeignFile) {
  const SafetensorsFile file(add(kForeign));
  EXPECT_THAT(file.metadata(), ElementsAre(Pair("format", "pt")));
  ASSERT_EQ(file.tensors().size(), 2U);
  const auto& a = file.tensors()[0];
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.dtype, DType::kF32);
  EXPECT_EQ(a.shape, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(a.byte, kForeign.size() - 9);
  EXPECT_EQ(a.size, 8U);
  EXPECT_EQ(file.tensors()[1].name, "b");
  EXPECT_THAT(file.tensors()[1].shape, IsEmpty());
  EXPECT_THAT(values_of<float>(file, "a"), ElementsAre(1, -2));
  EXPECT_THAT(values_of<std::uint8_t>(file, "b"), ElementsAre(7));
  EXPECT_EQ(file.find("c"), nullptr);
}

TEST_F(SafetensorsTest, ReadsATensorInPieces) {
  const SafetensorsFile file(add(kOwn));
  EXPECT_EQ(file.checksum(), "efc5c444");
  const auto& n = *file.find("n");
  std::vector<std::byte> piece(2);
  file.read(n, 1, piece);
  EXPECT_THAT(piece, ElementsAre(std::byte{8}, std::byte{9}));
  EXPECT_THROW(file.read(n, 2, piece), InternalError);
  EXPECT_THROW(file.read(n, UINT64_MAX, piece), InternalError);
  EXPECT_NO_THROW(file.read(n, 3, {}));
}

TEST_F(SafetensorsTest, ReadsWhatWasWrittenByHand) {
  const SafetensorsFile file(add(kOwn), Checksum::kRequired);
  EXPECT_THAT(file.metadata(), ElementsAre(Pair("made by", "hand")));
  EXPECT_THAT(values_of<float>(file, "w"), ElementsAre(1, -2));
  EXPECT_THAT(values_of<std::uint8_t>(file, "n"), ElementsAre(7, 8, 9));
}

TEST_F(SafetensorsTest, WritesExactlyTheBytesWrittenByHand) {
  write_safetensors(path(), {{"made by", "hand"}}, own_tensors());
  EXPECT_EQ(read_file(path()), kOwn);
  // Metadata that was read, including a checksum, can be written again.
  write_safetensors(path(), {{"made by", "hand"}, {"warpfit.crc32", "12345678"}}, own_tensors());
  EXPECT_EQ(read_file(path()), kOwn);
}

TEST_F(SafetensorsTest, ReadsTheEmptyFile) {
  EXPECT_THAT(SafetensorsFile(add(safetensors("{}"))).tensors(), IsEmpty());
  write_safetensors(path(), {}, {});
  EXPECT_EQ(read_file(path()), safetensors(R"({"__metadata__":{"warpfit.crc32":"96dabb77"}}   )"));
  EXPECT_THAT(SafetensorsFile(path(), Checksum::kRequired).tensors(), IsEmpty());
}

TEST_F(SafetensorsTest, KeepsAllTypesShapesAndTexts) {
  const std::vector<std::byte> data(48, std::byte{0xA5});
  const std::string names[] = {"BOOL", "U8",  "I8",  "F8_E5M2", "F8_E4M3", "U16", "I16", "F16",
                               "BF16", "U32", "I32", "F32",     "U64",     "I64", "F64", "C64"};
  const std::uint64_t sizes[] = {1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 8, 8, 8, 8};
  std::vector<TensorView> tensors;
  for (std::size_t i = 0; i < std::size(names); ++i) {
    const auto dtype = dtype_of(names[i]);
    ASSERT_TRUE(dtype) << names[i];
    EXPECT_EQ(dtype_name(*dtype), names[i]);
    tensors.push_back({names[i], *dtype, {3, 1, 2}, std::span(data).first(6 * sizes[i])});
    tensors.push_back({names[i] + " scalar \"ä\"\n", *dtype, {}, std::span(data).first(sizes[i])});
    tensors.push_back({names[i] + "/none", *dtype, {2, 0, 5}, {}});
  }
  const Metadata metadata{{"", ""}, {"ä\"\\\n", "{\"a\": [1]}"}, {"warpfit.step", "12"}};
  write_safetensors(path(), metadata, tensors);
  const SafetensorsFile file(path(), Checksum::kRequired);
  EXPECT_EQ(file.metadata(), metadata);
  ASSERT_EQ(file.tensors().size(), tensors.size());
  for (const auto& tensor : tensors) {
    const auto* found = file.find(tensor.name);
    ASSERT_NE(found, nullptr) << tensor.name;
    EXPECT_EQ(found->dtype, tensor.dtype);
    EXPECT_EQ(found->shape, tensor.shape);
    EXPECT_THAT(values_of<std::byte>(file, tensor.name), testing::ElementsAreArray(tensor.data));
  }
  EXPECT_EQ(file.tensors().front().byte % 8, 0U);
}

TEST_F(SafetensorsTest, RefusesEveryPrefix) {
  for (const auto& whole : {kForeign, kOwn}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const auto file = add(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
      EXPECT_THROW(SafetensorsFile{file}, ModelError) << size << " of " << whole.size() << " bytes";
    }
  }
}

// Also if no checksum is required: no single flipped bit hides that there is one.
TEST_F(SafetensorsTest, RefusesEveryFlippedBit) {
  for (std::size_t bit = 0; bit < kOwn.size() * 8; ++bit) {
    Bytes damaged = kOwn;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto file = add(damaged);
    EXPECT_THAT([&] { SafetensorsFile{file}; }, ThrowsMessage<ModelError>(HasSubstr(file))) << "bit " << bit;
    EXPECT_THROW(SafetensorsFile(file, Checksum::kRequired), ModelError) << "bit " << bit;
  }
}

TEST_F(SafetensorsTest, RefusesAFileWithoutChecksumWhereOneIsDemanded) {
  const auto file = add(kForeign);
  EXPECT_NO_THROW(SafetensorsFile(file, Checksum::kIfPresent));
  EXPECT_THAT(
      [&] { SafetensorsFile(file, Checksum::kRequired); },
      ThrowsMessage<ModelError>(AllOf(HasSubstr(file), HasSubstr("no warpfit.crc32 in its metadata"))));
}

// More than the block for which the checksum is computed at a time.
TEST_F(SafetensorsTest, FindsDamageFarAfterTheHeader) {
  const std::vector<std::byte> data((5 << 20) + 3, std::byte{1});
  write_safetensors(path(), {}, std::vector<TensorView>{{"a", DType::kU8, {(5 << 20) + 3}, data}});
  EXPECT_EQ(values_of<std::byte>(SafetensorsFile(path()), "a"), data);
  const Bytes whole = read_file(path());
  for (const std::size_t back : {1UL, 4UL << 20, (5UL << 20) - 1}) {
    Bytes damaged = whole;
    damaged[whole.size() - back] ^= 1;
    EXPECT_THAT([&] { SafetensorsFile{add(damaged)}; },
                ThrowsMessage<ModelError>(HasSubstr("it is damaged")));
  }
}

TEST_F(SafetensorsTest, NoticesAFileThatChangesWhileItIsRead) {
  const SafetensorsFile file(add(kOwn));
  std::filesystem::last_write_time(path(),
                                   std::filesystem::last_write_time(path()) + std::chrono::seconds(1));
  EXPECT_THAT([&] { values_of<float>(file, "w"); }, ThrowsMessage<IoError>(HasSubstr("was changed while")));
  std::filesystem::resize_file(path(), 20);
  EXPECT_THROW(values_of<float>(file, "w"), IoError);
}

TEST_F(SafetensorsTest, RefusesToReadIntoAnotherSize) {
  const SafetensorsFile file(add(kOwn));
  std::vector<std::byte> out(7);
  EXPECT_THROW(file.read(file.tensors().front(), out), InternalError);
}

TEST_F(SafetensorsTest, SaysWhereThereIsNoFile) {
  EXPECT_THAT([this] { SafetensorsFile{path()}; },
              ThrowsMessage<IoError>(HasSubstr("No such file or directory")));
  EXPECT_THAT([this] { SafetensorsFile{folder_.path().string()}; },
              ThrowsMessage<IoError>(HasSubstr("is a folder")));
}

TEST_F(SafetensorsTest, WritesNothingThatCouldNotBeRead) {
  const auto data = std::as_bytes(std::span(kNumbers));
  expect_refused<InternalError>({}, {{"a", DType::kU8, {4}, data}});
  expect_refused<InternalError>({}, {{"a", DType::kF32, {3}, data}});
  expect_refused<InternalError>({}, {{"a", DType::kU8, {-3}, data}});
  expect_refused<InternalError>({}, {{"a", DType::kU8, {3}, data}, {"a", DType::kU8, {3}, data}});
  expect_refused<InternalError>({}, {{"__metadata__", DType::kU8, {3}, data}});
  expect_refused<ModelError>({}, {{"a\xFF", DType::kU8, {3}, data}});
  expect_refused<ModelError>({{"key", "\xC3"}}, {});
  expect_refused<ModelError>({{std::string(1, '\0'), "value"}}, {});
  expect_refused<ModelError>({{"key", std::string(100'000'000, 'x')}}, {});
}

}  // namespace
}  // namespace warpfit::test
