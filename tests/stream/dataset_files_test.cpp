#include "host/stream/dataset_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;

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

std::string error_message(const std::string& folder) {
  try {
    find_dataset(folder, {});
  } catch (const IoError& error) {
    return error.what();
  }
  return "accepted";
}

// The message must not say that the files are missing, because that cannot be known.
TEST(FindDataset, SaysWhyAFolderCannotBeLookedAt) {
  const TemporaryFolder folder;
  const auto path = folder.path().string();
  const auto file = folder.add("file", {});
  std::filesystem::create_symlink("loop", folder.path() / "loop");
  EXPECT_THAT(error_message(path + "/absent"), HasSubstr("/absent: no such folder"));
  EXPECT_THAT(error_message(file), HasSubstr("/file: not a folder"));
  EXPECT_THAT(error_message(path + "/loop"),
              HasSubstr("cannot search for the data set: Too many levels of symbolic links"));
  EXPECT_THAT(error_message(path + "/" + std::string(300, 'x')),
              HasSubstr("cannot search for the data set: File name too long"));
  EXPECT_THAT(error_message(path),
              HasSubstr(": no train-images-idx3-ubyte or train-images-idx3-ubyte.gz in it"));
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

// Root may list every folder, so a child process drops that privilege first.
TEST(FindDataset, SaysWhereAFolderMayNotBeLookedInto) {
  const TemporaryFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms::none);
  const auto find_it = [&folder] {
    constexpr uid_t kNobody = 65'534;
    if (geteuid() == 0 && seteuid(kNobody) != 0) _exit(1);
    std::fputs(error_message(folder.path().string()).c_str(), stderr);
    _exit(0);
  };
  EXPECT_EXIT(find_it(), testing::ExitedWithCode(0), "cannot search for the data set: Permission denied");
  std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all);
}

TEST(FindDataset, SaysWhatIsMissing) {
  const TemporaryFolder folder;
  EXPECT_THROW(find_dataset(folder.path().string(), {}), IoError);
  EXPECT_THROW(find_dataset("", {}), UsageError);
}

// File names under which common data sets are published.
class FindPublishedDataset : public testing::Test {
 protected:
  // Adds four empty files with their usual names, as changed by `rename`.
  template <class Rename>
  void add_set(Rename rename) {
    for (const std::string name : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                   "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
      add(rename(name));
    }
  }
  void add_set_in(const std::string& below, const std::string& prefix = "") {
    add_set([&](const std::string& name) { return below + prefix + name; });
  }
  void add(const std::string& name) {
    std::filesystem::create_directories((folder_.path() / name).parent_path());
    folder_.add(name, {});
  }
  static std::string replaced(std::string name, const std::string& old, const std::string& other) {
    if (const auto at = name.find(old); at != name.npos) name.replace(at, old.size(), other);
    return name;
  }
  // Relative to the folder.
  [[nodiscard]] std::vector<std::string> found(const std::string& below = "") const {
    const auto paths = find_dataset((folder_.path() / below).string(), {});
    std::vector<std::string> names;
    for (const auto& path : {paths.train_images, paths.train_labels, paths.test_images, paths.test_labels})
      names.push_back(std::filesystem::path(path).lexically_relative(folder_.path()).string());
    return names;
  }
  [[nodiscard]] std::string ambiguity(const std::string& below = "") const {
    try {
      return found(below).front();
    } catch (const UsageError& error) {
      return replaced(replaced(error.what(), folder_.path().string() + "/", ""),
                      folder_.path().string() + "/", "");
    }
  }

  TemporaryFolder folder_;
};

TEST_F(FindPublishedDataset, HasDotsOrDashesAndGzipInAnyCase) {
  add_set([](const std::string& name) { return replaced(name, "-idx", ".idx") + ".GZ"; });
  EXPECT_EQ(found(), (std::vector<std::string>{"train-images.idx3-ubyte.GZ", "train-labels.idx1-ubyte.GZ",
                                               "t10k-images.idx3-ubyte.GZ", "t10k-labels.idx1-ubyte.GZ"}));
  add("train-images.idx3-ubyte");  // uncompressed before gzip, and the usual name before others
  EXPECT_EQ(found().front(), "train-images.idx3-ubyte");
  add("train-images-idx3-ubyte.gz");
  EXPECT_EQ(found().front(), "train-images-idx3-ubyte.gz");
}

TEST_F(FindPublishedDataset, HasAFolderOfEachFilesName) {
  add_set([](const std::string& name) { return replaced(name, "-idx", ".idx") + "/" + name; });
  EXPECT_EQ(found().front(), "train-images.idx3-ubyte/train-images-idx3-ubyte");
  add("train-images.idx3-ubyte/t10k-images-idx3-ubyte");  // test images in the folder of training images
  EXPECT_EQ(found()[2], "t10k-images.idx3-ubyte/t10k-images-idx3-ubyte");
}

TEST_F(FindPublishedDataset, HasAPrefixAndTest) {
  add_set([](const std::string& name) { return "emnist-letters-" + replaced(name, "t10k", "test") + ".gz"; });
  EXPECT_EQ(found()[2], "emnist-letters-test-images-idx3-ubyte.gz");
  add_set_in("", "emnist-digits-");
  EXPECT_EQ(ambiguity(), "--data: 2 data sets match: emnist-digits, emnist-letters; name one of them");
  EXPECT_EQ(found("emnist-digits").front(), "emnist-digits-train-images-idx3-ubyte");
  EXPECT_EQ(found("emnist-letters").front(), "emnist-letters-train-images-idx3-ubyte.gz");
  EXPECT_THROW((void)found("emnist-byclass"), IoError);
  EXPECT_THROW((void)found("emnist"), IoError) << "which of two would it be?";
  add_set_in("");  // a set without a prefix is preferred to sets with one
  EXPECT_EQ(found().front(), "train-images-idx3-ubyte");
}

TEST_F(FindPublishedDataset, IsNamedWithATrailingSlash) {
  add_set_in("", "emnist-digits-");
  add_set_in("", "emnist-letters-");
  for (const char* name : {"emnist-letters", "emnist-letters/", "emnist-letters//"})
    EXPECT_EQ(found(name).front(), "emnist-letters-train-images-idx3-ubyte") << name;
  add_set_in("whole/");
  EXPECT_EQ(found("whole/").front(), "whole/train-images-idx3-ubyte");
}

TEST_F(FindPublishedDataset, IsListedIfItsNameBeginsAsGiven) {
  add_set_in("", "emnist-digits-");
  add_set_in("", "emnist-letters-");
  add("mnist-train-images-idx3-ubyte");
  const auto path = folder_.path().string();
  for (const auto* name : {"/emnist", "/emnist/", "/emnist-"}) {
    const auto text = error_message(path + name);
    EXPECT_THAT(text, HasSubstr(": no such folder; the names of these data sets begin so: " + path +
                                "/emnist-digits, " + path + "/emnist-letters; name one of them"));
  }
  EXPECT_THAT(error_message(path + "/emnist-byclass"), HasSubstr("no such folder; --data names the folder"));
}

TEST_F(FindPublishedDataset, LacksAFileOfItsOwnNames) {
  const auto path = folder_.path().string();
  add_set_in("", "emnist-letters-");
  for (const char* name : {"images-idx3-ubyte", "labels-idx1-ubyte"})
    std::filesystem::remove(folder_.path() / ("emnist-letters-t10k-" + std::string(name)));
  EXPECT_THAT(error_message(path),
              HasSubstr(": no emnist-letters-test-images-idx3-ubyte or emnist-letters-test-"));
  add("emnist-letters-test-labels-idx1-ubyte");
  EXPECT_THAT(error_message(path),
              HasSubstr(": no emnist-letters-test-images-idx3-ubyte or emnist-letters-test-"));
  std::filesystem::rename(folder_.path() / "emnist-letters-test-labels-idx1-ubyte",
                          folder_.path() / "emnist-letters-t10k-labels-idx1-ubyte");
  EXPECT_THAT(error_message(path),
              HasSubstr(": no emnist-letters-t10k-images-idx3-ubyte or emnist-letters-t10k-"));
}

TEST_F(FindPublishedDataset, IsNotALinkThatLeadsNowhere) {
  add_set([](const std::string& name) { return name + ".gz"; });
  std::filesystem::create_symlink("nowhere", folder_.path() / "train-images-idx3-ubyte");
  EXPECT_EQ(found().front(), "train-images-idx3-ubyte.gz");
  std::filesystem::remove(folder_.path() / "train-images-idx3-ubyte.gz");
  EXPECT_EQ(found().front(), "train-images-idx3-ubyte");  // so that the message names it
}

TEST_F(FindPublishedDataset, HasQmnistsNames) {
  for (const char* name :
       {"train-images-idx3-ubyte.gz", "train-labels-idx2-int.gz", "test-images-idx3-ubyte.gz",
        "test-labels-idx2-int.gz", "test10k-images-idx3-ubyte.gz", "test50k-labels-idx2-int.gz"}) {
    add(std::string("qmnist-") + name);
  }
  EXPECT_EQ(found()[1], "qmnist-train-labels-idx2-int.gz");
  EXPECT_EQ(found()[3], "qmnist-test-labels-idx2-int.gz");
}

TEST_F(FindPublishedDataset, IsBelowTorchvisionsRoot) {
  add_set_in("KMNIST/raw/");
  EXPECT_EQ(found().front(), "KMNIST/raw/train-images-idx3-ubyte");
  add_set_in("MNIST/raw/");
  EXPECT_EQ(ambiguity(), "--data: 2 data sets match: KMNIST/raw, MNIST/raw; name one of them");
  EXPECT_EQ(found("MNIST").front(), "MNIST/raw/train-images-idx3-ubyte");
  add_set_in("raw/");
  EXPECT_EQ(found().front(), "raw/train-images-idx3-ubyte");
}

TEST_F(FindPublishedDataset, IsOneSetAndNotPartsOfTwo) {
  add("train-images-idx3-ubyte");
  add("train-labels-idx1-ubyte");
  add("other-t10k-images-idx3-ubyte");
  add("other-t10k-labels-idx1-ubyte");
  try {
    (void)found();
    FAIL() << "two halves passed for a data set";
  } catch (const IoError& error) {
    EXPECT_THAT(error.what(), HasSubstr(": no t10k-images-idx3-ubyte or t10k-images-idx3-ubyte.gz in it"));
  }
  const auto training_set = find_training_set(folder_.path().string(), {});
  EXPECT_THAT(training_set.train_labels, HasSubstr("/train-labels-idx1-ubyte"));
}

TEST_F(FindPublishedDataset, IgnoresNamesThatOnlyLookAlike) {
  add_set([](const std::string& name) { return "x" + name; });
  for (const char* name :
       {"xtrain-images-idx3-ubyte", "train-images-idx3-ubyte.part", "train-images-idx-ubyte",
        "train-images-idx3-", "train-imagesidx3-ubyte", "train-pictures-idx3-ubyte", ".gz", "idx"}) {
    add(name);
  }
  EXPECT_THROW((void)found(), IoError);
}

TEST(DescribeFiles, NamesTheFolderOnce) {
  EXPECT_EQ(describe_files({"d/a", "d/b", "d/c", "d/e"}), "d: a, b, c, e");
  EXPECT_EQ(describe_files({"d/a", "d/b", "x/c", "d/e"}), "d/a, d/b, x/c, d/e");
  EXPECT_EQ(describe_files({"a", "b", "c", "e"}), "a, b, c, e");
}

}  // namespace
}  // namespace warpfit::test
