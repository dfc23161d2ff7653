#include "host/stream/subset.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "host/base/error.hpp"
#include "host/base/torch_random.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

// Ten samples of one pixel: sample i has pixel 10 * i and label i.
class SubsetTest : public testing::Test {
 protected:
  SubsetTest() {
    Bytes pixels(10);
    Bytes labels(10);
    std::iota(labels.begin(), labels.end(), 0);
    std::ranges::transform(labels, pixels.begin(), [](std::uint8_t i) { return std::uint8_t(10 * i); });
    dataset_.emplace(folder_.add("images", idx({10, 1}, pixels)), folder_.add("labels", idx({10}, labels)));
  }

  static std::vector<Label> labels_of(const Subset& subset) {
    Bytes pixels(static_cast<std::size_t>(subset.size()));
    std::vector<Label> labels(pixels.size());
    subset.read(0, pixels, labels);
    for (std::size_t i = 0; i < labels.size(); ++i) EXPECT_EQ(pixels[i], 10 * labels[i]);
    return labels;
  }

  TemporaryFolder folder_;
  std::optional<Dataset> dataset_;
};

TEST_F(SubsetTest, IsAllOrAPartOrThoseNamed) {
  EXPECT_EQ(labels_of(*dataset_), (std::vector<Label>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(labels_of({*dataset_, 6, 3}), (std::vector<Label>{6, 7, 8}));
  EXPECT_EQ(labels_of({*dataset_, {9, 0, 4}}), (std::vector<Label>{9, 0, 4}));
}

TEST_F(SubsetTest, GathersByIndexWithinIt) {
  Bytes pixels(2);
  std::vector<Label> labels(2);
  Subset(*dataset_, 6, 3).gather(std::vector<std::uint32_t>{2, 0}, pixels, labels);
  EXPECT_EQ(labels, (std::vector<Label>{8, 6}));
  Subset(*dataset_, {9, 0, 4}).gather(std::vector<std::uint32_t>{2, 0}, pixels, labels);
  EXPECT_EQ(labels, (std::vector<Label>{4, 9}));
  EXPECT_EQ(pixels, (Bytes{40, 90}));
}

TEST_F(SubsetTest, SplitsOffTheLastPart) {
  const auto [training, validation] = split_off(*dataset_, 0.25, false, 0);
  EXPECT_EQ(labels_of(training), (std::vector<Label>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(labels_of(validation), (std::vector<Label>{8, 9}));
  EXPECT_EQ(split_off(*dataset_, 0.01, false, 0).validation.size(), 1);
  EXPECT_THROW(split_off(*dataset_, 1, false, 0), UsageError);
}

// torch.utils.data.random_split(range(10), [7, 3], generator=torch.Generator().manual_seed(0)), by
// PyTorch 2.15.
TEST_F(SubsetTest, SplitsShuffledAsPyTorchDoes) {
  const auto [training, validation] = split_off(*dataset_, 0.3, true, 0);
  EXPECT_EQ(labels_of(training), (std::vector<Label>{4, 1, 7, 5, 3, 9, 0}));
  EXPECT_EQ(labels_of(validation), (std::vector<Label>{8, 6, 2}));
}

}  // namespace
}  // namespace warpfit::test
