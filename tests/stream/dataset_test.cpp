#include "host/stream/dataset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "host/base/error.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;

TEST(Dataset, GathersSamplesAndLabelsInAnyOrder) {
  const TemporaryFolder folder;
  const Dataset dataset(folder.add("images", idx({3, 2}, {0, 1, 10, 11, 20, 21})),
                        folder.add("labels", idx({3}, {5, 6, 7})));
  EXPECT_EQ(dataset.classes(), 8);
  Bytes pixels(4);
  std::vector<Label> labels(2);
  dataset.gather(std::vector<std::uint32_t>{2, 0}, pixels, labels);
  EXPECT_EQ(pixels, (Bytes{20, 21, 0, 1}));
  EXPECT_EQ(labels, (std::vector<Label>{7, 5}));
  dataset.read(1, pixels, labels);
  EXPECT_EQ(pixels, (Bytes{10, 11, 20, 21}));
  EXPECT_EQ(labels, (std::vector<Label>{6, 7}));
}

TEST(Dataset, GivesSamplesWithoutLabelsTheLabel0) {
  const TemporaryFolder folder;
  const Dataset dataset(folder.add("images", idx({3, 2}, {0, 1, 10, 11, 20, 21})));
  EXPECT_EQ(dataset.size(), 3);
  EXPECT_EQ(dataset.classes(), 0);
  Bytes pixels(4);
  std::vector<Label> labels(2, 9);
  dataset.read(1, pixels, labels);
  EXPECT_EQ(pixels, (Bytes{10, 11, 20, 21}));
  EXPECT_EQ(labels, (std::vector<Label>{0, 0}));
  EXPECT_THROW(Dataset(folder.add("empty", {})), DataError);
}

TEST(Dataset, TransposesImagesStoredByColumns) {
  const TemporaryFolder folder;
  const auto images = folder.add("images", idx({2, 2, 3}, {0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15}));
  const auto labels = folder.add("labels", idx({2}, {0, 1}));
  const Dataset dataset(images, labels, SampleLayout{.is_transposed = true});
  EXPECT_THAT(dataset.sample_shape(), testing::ElementsAre(3, 2));
  EXPECT_THAT(Dataset(images, labels).sample_shape(), testing::ElementsAre(2, 3));
  Bytes pixels(12);
  std::vector<Label> read(2);
  dataset.read(0, pixels, read);
  EXPECT_EQ(pixels, (Bytes{0, 3, 1, 4, 2, 5, 10, 13, 11, 14, 12, 15}));
  dataset.gather(std::vector<std::uint32_t>{1, 0}, pixels, read);
  EXPECT_EQ(pixels, (Bytes{10, 13, 11, 14, 12, 15, 0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(dataset.identity(), "2x2x3 transposed, labels 36de2269");
  const auto planes = folder.add("planes", idx({2, 3, 2, 1}, Bytes(12)));
  EXPECT_THAT(
      [&] { Dataset(planes, labels, SampleLayout{.is_transposed = true}); },
      testing::ThrowsMessage<UsageError>(HasSubstr("planes are 3x2x1, expected images of two dimensions")));
}

TEST(Dataset, PutsChannelsFirst) {
  const TemporaryFolder folder;
  const auto images = folder.add("images", idx({2, 2, 2, 3}, {0, 10, 20, 1, 11, 21, 2, 12, 22, 3, 13, 23,  //
                                                              4, 14, 24, 5, 15, 25, 6, 16, 26, 7, 17, 27}));
  const auto labels = folder.add("labels", idx({2}, {0, 1}));
  const Dataset dataset(images, labels);
  EXPECT_THAT(dataset.sample_shape(), testing::ElementsAre(3, 2, 2));
  EXPECT_EQ(dataset.identity(), "2x2x2x3 channels last, labels 36de2269");
  Bytes pixels(12);
  std::vector<Label> read(1);
  dataset.read(1, pixels, read);
  EXPECT_EQ(pixels, (Bytes{4, 5, 6, 7, 14, 15, 16, 17, 24, 25, 26, 27}));
  EXPECT_THAT(Dataset(images, labels, {.channels = ChannelOrder::kFirst}).sample_shape(),
              testing::ElementsAre(2, 2, 3));
}

TEST(Dataset, TellsChannelsByTheirNumber) {
  const TemporaryFolder folder;
  const auto shape = [&](std::uint32_t a, std::uint32_t b, std::uint32_t c, ChannelOrder order) {
    const Dataset dataset(folder.add("images", idx({1, a, b, c}, Bytes(std::size_t{a} * b * c))),
                          SampleLayout{.channels = order});
    return std::vector<std::int64_t>(dataset.sample_shape().begin(), dataset.sample_shape().end());
  };
  using Shape = std::vector<std::int64_t>;
  EXPECT_EQ(shape(8, 9, 4, ChannelOrder::kAuto), (Shape{4, 8, 9}));
  EXPECT_EQ(shape(8, 9, 1, ChannelOrder::kAuto), (Shape{1, 8, 9}));
  EXPECT_EQ(shape(3, 9, 4, ChannelOrder::kAuto), (Shape{3, 9, 4}));
  EXPECT_EQ(shape(8, 9, 2, ChannelOrder::kAuto), (Shape{8, 9, 2}));
  EXPECT_EQ(shape(3, 9, 2, ChannelOrder::kLast), (Shape{2, 3, 9}));
  const Dataset gray(folder.add("gray", idx({2, 2, 3}, Bytes(12))),
                     SampleLayout{.channels = ChannelOrder::kLast});
  EXPECT_THAT(gray.sample_shape(), testing::ElementsAre(2, 3));
}

TEST(Dataset, RefusesAnotherNumberOfLabels) {
  const TemporaryFolder folder;
  const auto images = folder.add("images", idx({3, 1}, {0, 0, 0}));
  for (const std::uint32_t count : {1U, 2U, 4U, 300U}) {
    const auto labels = folder.add("labels", idx({count}, Bytes(count)));
    EXPECT_THAT(
        [&] { Dataset(images, labels); },
        testing::ThrowsMessage<DataError>(HasSubstr("labels: " + std::to_string(count) +
                                                    " labels at byte 4, but " + images + " has 3 samples")));
  }
}

// A run is resumed with data of the same identity only.
TEST(Dataset, HasAnIdentityOfItsShapeAndLabels) {
  const TemporaryFolder folder;
  const auto identity = [&](const Bytes& images, const Bytes& labels) {
    return Dataset(folder.add("images", images), folder.add("labels", labels)).identity();
  };
  const auto first = identity(idx({2, 2}, {1, 2, 3, 4}), idx({2}, {0, 1}));
  EXPECT_EQ(first, "2x2, labels 36de2269");  // Python's zlib.crc32(bytes([0, 1]))
  EXPECT_EQ(identity(idx({2, 2}, {5, 6, 7, 8}), idx({2}, {0, 1})), first);
  EXPECT_NE(identity(idx({2, 2}, {1, 2, 3, 4}), idx({2}, {1, 0})), first);
  EXPECT_NE(identity(idx({2, 2, 1}, {1, 2, 3, 4}), idx({2}, {0, 1})), first);
  EXPECT_NE(identity(idx({2, 1}, {1, 2}), idx({2}, {0, 1})), first);
}

TEST(Dataset, NamesTheByteOfALabelThatIsTooHigh) {
  const TemporaryFolder folder;
  const Dataset dataset(folder.add("images", idx({3, 1}, {0, 0, 0})),
                        folder.add("labels", idx({3}, {1, 9, 2})));
  dataset.check_labels_below(10);
  try {
    dataset.check_labels_below(9);
    FAIL() << "label 9 was accepted for 9 classes";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("label 9 at byte 9"), std::string::npos) << error.what();
  }
}

Bytes big_endian(const std::vector<std::int64_t>& values, int size) {
  Bytes bytes;
  for (const auto value : values) {
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8)
      bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  }
  return bytes;
}

class DatasetLabels : public testing::Test {
 protected:
  // Of three samples, in a file of these dimensions.
  std::vector<Label> labels(const std::vector<std::uint32_t>& dimensions, std::uint8_t type,
                            const Bytes& elements) {
    const Dataset dataset(images_, folder_.add("labels", idx(dimensions, elements, type)));
    classes_ = dataset.classes();
    return {dataset.labels().begin(), dataset.labels().end()};
  }
  std::string refusal(const std::vector<std::uint32_t>& dimensions, std::uint8_t type,
                      const Bytes& elements) {
    try {
      labels(dimensions, type, elements);
    } catch (const DataError& error) {
      return error.what();
    }
    return "accepted";
  }

  TemporaryFolder folder_;
  std::string images_ = folder_.add("images", idx({3, 2}, Bytes(6)));
  std::int64_t classes_ = 0;
};

TEST_F(DatasetLabels, AreIntegersOfAnyType) {
  EXPECT_EQ(labels({3}, 0x08, {5, 255, 7}), (std::vector<Label>{5, 255, 7}));
  EXPECT_EQ(labels({3}, 0x09, {5, 127, 7}), (std::vector<Label>{5, 127, 7}));
  EXPECT_EQ(labels({3}, 0x0B, big_endian({5, 300, 7}, 2)), (std::vector<Label>{5, 300, 7}));
  EXPECT_EQ(classes_, 301);
  EXPECT_EQ(labels({3}, 0x0C, big_endian({65'535, 0, 70}, 4)), (std::vector<Label>{65'535, 0, 70}));
  EXPECT_EQ(classes_, 65'536);
}

TEST_F(DatasetLabels, AreTheFirstOfQmnistsEightColumns) {
  std::vector<std::int64_t> table;
  for (const std::int64_t label : {4, 9, 2}) {
    table.push_back(label);
    table.insert(table.end(), {0, 1, 2, 3, 4, 5, 6});
  }
  EXPECT_EQ(labels({3, 8}, 0x0C, big_endian(table, 4)), (std::vector<Label>{4, 9, 2}));
  EXPECT_EQ(labels({3, 1}, 0x08, {4, 9, 2}), (std::vector<Label>{4, 9, 2}));
  EXPECT_THAT(refusal({3, 2}, 0x08, Bytes(6)),
              HasSubstr("labels: 3x2 unsigned bytes from byte 4 on, expected one label per sample"));
  EXPECT_THAT(refusal({3, 8}, 0x08, Bytes(24)), HasSubstr("or the labels one-hot?"));
}

TEST_F(DatasetLabels, AreNeitherNegativeNorFractionalNorTooHigh) {
  EXPECT_THAT(refusal({3}, 0x09, {1, 0xFF, 2}), HasSubstr("label -1 of sample 1 at byte 9"));
  EXPECT_THAT(refusal({3}, 0x0B, big_endian({1, 2, -3}, 2)), HasSubstr("label -3 of sample 2 at byte 12"));
  EXPECT_THAT(refusal({3}, 0x0C, big_endian({65'536, 1, 2}, 4)),
              HasSubstr("label 65536 of sample 0 at byte 8, expected 0 to 65535"));
  EXPECT_THAT(refusal({3}, 0x0D, Bytes(12)),
              HasSubstr("(32-bit floats) at byte 2, expected labels of an integer type"));
}

// Files are read in pieces.
TEST_F(DatasetLabels, AreReadToTheLastOfAMillion) {
  constexpr std::uint32_t kCount = 1'000'000;
  std::vector<std::int64_t> values(kCount);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int64_t>(i % 1000);
  const auto images = folder_.add("many", idx({kCount, 1}, Bytes(kCount)));
  const Dataset dataset(images, folder_.add("labels", idx({kCount}, big_endian(values, 4), 0x0C)));
  EXPECT_TRUE(std::ranges::equal(dataset.labels(), values));
}

}  // namespace
}  // namespace warpfit::test
