#include "host/stream/dataset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

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

std::string refusal(const std::string& folder) {
  try {
    find_dataset(folder, {});
  } catch (const IoError& error) {
    return error.what();
  }
  return "accepted";
}

// Not that the files are missing: nobody could tell.
TEST(FindDataset, SaysWhyAFolderCannotBeLookedAt) {
  const TemporaryFolder folder;
  const auto path = folder.path().string();
  const auto file = folder.add("file", {});
  std::filesystem::create_symlink("loop", folder.path() / "loop");
  EXPECT_THAT(refusal(path + "/absent"), HasSubstr("/absent: cannot look for the data set: No such file"));
  EXPECT_THAT(refusal(file), HasSubstr("/file: cannot look for the data set: Not a directory"));
  EXPECT_THAT(refusal(path + "/loop"),
              HasSubstr("cannot look for the data set: Too many levels of symbolic links"));
  EXPECT_THAT(refusal(path + "/" + std::string(300, 'x')),
              HasSubstr("cannot look for the data set: File name too long"));
  EXPECT_THAT(refusal(path), HasSubstr(": no train-images-idx3-ubyte or train-images-idx3-ubyte.gz in it"));
}

TEST(FindDataset, FindsFilesNextToWhatCannotBeLookedAt) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("raw", folder.path() / "raw");
  std::filesystem::create_directories(folder.path() / "FashionMNIST/raw");
  for (const char* name : {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"})
    folder.add(std::string("FashionMNIST/raw/") + name, {});
  EXPECT_THAT(find_test_set(folder.path().string(), {}).test_images,
              HasSubstr("FashionMNIST/raw/t10k-images"));
}

// Root looks into every folder, so a process of its own gives that up first.
TEST(FindDataset, SaysWhereAFolderMayNotBeLookedInto) {
  const TemporaryFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms::none);
  const auto find_it = [&folder] {
    constexpr uid_t kNobody = 65'534;
    if (geteuid() == 0 && seteuid(kNobody) != 0) _exit(1);
    std::fputs(refusal(folder.path().string()).c_str(), stderr);
    _exit(0);
  };
  EXPECT_EXIT(find_it(), testing::ExitedWithCode(0),
              "ubyte: cannot look for the data set: Permission denied");
  std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all);
}

TEST(FindDataset, SaysWhatIsMissing) {
  const TemporaryFolder folder;
  EXPECT_THROW(find_dataset(folder.path().string(), {}), IoError);
  EXPECT_THROW(find_dataset("", {}), UsageError);
}

}  // namespace
}  // namespace warpfit::test
