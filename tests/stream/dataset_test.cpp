#include "host/stream/dataset.hpp"

#include <gtest/gtest.h>

#include "host/base/error.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

TEST(Dataset, GathersSamplesAndLabelsInAnyOrder) {
  const TemporaryFolder folder;
  const Dataset dataset(folder.add("images", idx({3, 2}, {0, 1, 10, 11, 20, 21})),
                        folder.add("labels", idx({3}, {5, 6, 7})));
  EXPECT_EQ(dataset.classes(), 8);
  Bytes pixels(4);
  Bytes labels(2);
  dataset.gather(std::vector<std::uint32_t>{2, 0}, pixels, labels);
  EXPECT_EQ(pixels, (Bytes{20, 21, 0, 1}));
  EXPECT_EQ(labels, (Bytes{7, 5}));
  dataset.read(1, pixels, labels);
  EXPECT_EQ(pixels, (Bytes{10, 11, 20, 21}));
  EXPECT_EQ(labels, (Bytes{6, 7}));
}

TEST(Dataset, GivesSamplesWithoutLabelsTheLabel0) {
  const TemporaryFolder folder;
  const Dataset dataset(folder.add("images", idx({3, 2}, {0, 1, 10, 11, 20, 21})));
  EXPECT_EQ(dataset.size(), 3);
  EXPECT_EQ(dataset.classes(), 0);
  Bytes pixels(4);
  Bytes labels(2, 9);
  dataset.read(1, pixels, labels);
  EXPECT_EQ(pixels, (Bytes{10, 11, 20, 21}));
  EXPECT_EQ(labels, (Bytes{0, 0}));
  EXPECT_THROW(Dataset(folder.add("empty", {})), DataError);
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

TEST(FindDataset, FindsPlainGzipAndTorchvisionLayouts) {
  for (const char* below : {"", "raw", "FashionMNIST/raw"}) {
    const TemporaryFolder folder;
    std::filesystem::create_directories(folder.path() / below);
    const auto in = (folder.path() / below / "").string();
    for (const char* name : {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte",
                             "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"}) {
      write_file(in + name, {});
    }
    const auto found = find_dataset(folder.path().string(), {});
    EXPECT_EQ(found.train_images, in + "train-images-idx3-ubyte.gz");
    EXPECT_EQ(found.train_labels, in + "train-labels-idx1-ubyte");
  }
}

TEST(FindDataset, NeedsNoTrainingSetForATestSet) {
  const TemporaryFolder folder;
  const auto images = folder.add("t10k-images-idx3-ubyte", {});
  const auto labels = folder.add("t10k-labels-idx1-ubyte.gz", {});
  const auto found = find_test_set(folder.path().string(), {});
  EXPECT_EQ(found.test_images, images);
  EXPECT_EQ(found.test_labels, labels);
  EXPECT_THROW(find_dataset(folder.path().string(), {}), IoError);
}

TEST(FindDataset, PrefersWhatWasNamed) {
  DatasetPaths named;
  named.test_labels = "mine";
  const auto found = find_dataset(sample_folder().string(), named);
  EXPECT_EQ(found.test_labels, "mine");
  EXPECT_NE(found.test_images.find("t10k-images"), std::string::npos);
}

TEST(FindDataset, SaysWhatIsMissing) {
  const TemporaryFolder folder;
  EXPECT_THROW(find_dataset(folder.path().string(), {}), IoError);
  EXPECT_THROW(find_dataset("", {}), UsageError);
}

}  // namespace
}  // namespace warpfit::test
