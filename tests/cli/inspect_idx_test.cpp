// What `warpfit inspect` prints of IDX files. Checksums are Python's zlib.crc32 of the bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "host/files/safetensors_writer.hpp"
#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace warpfit::test {
namespace {

const Bytes kImages = idx({2, 2, 3}, {0, 25, 26, 51, 77, 102, 128, 153, 179, 204, 230, 255});
const Bytes kLabels = idx({5}, {3, 0, 3, 200, 3});

class InspectIdx : public testing::Test {
 protected:
  static std::string inspect(const std::string& path, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"inspect", path});
    return output_of(more);
  }

  TemporaryFolder folder_;
};

TEST_F(InspectIdx, DrawsImages) {
  const auto path = folder_.add("images", kImages);
  const std::string head = path +
                           ": IDX, samples\n"
                           "dimensions  2x2x3 unsigned bytes\n"
                           "bytes       28\n"
                           "range       0 to 255\n"
                           "mean        119.1667, 0.4673 of 255\n"
                           "std         82.2606, 0.3226 of 255\n"
                           "crc32       b501cce7\n";
  const std::string first =
      "\nimage 0\n"
      "    ..\n"
      "..----\n";
  const std::string second =
      "\nimage 1\n"
      "++++**\n"
      "##%%@@\n";
  EXPECT_EQ(inspect(path), head + first + second);
  EXPECT_EQ(inspect(path, {"--images", "1"}), head + first);
  EXPECT_EQ(inspect(path, {"--images=0"}), head);
}

TEST_F(InspectIdx, ReadsGzipAsWhatItHolds) {
  const auto packed = gzip(kLabels);
  const auto path = folder_.add("labels.png", packed);
  EXPECT_EQ(inspect(path), path +
                               ": IDX, labels\n"
                               "dimensions  5 unsigned bytes\n"
                               "bytes       13, " +
                               std::to_string(packed.size()) +
                               " as gzip\n"
                               "range       0 to 200\n"
                               "crc32       d574953f\n"
                               "\n"
                               "label  count\n"
                               "    0      1\n"
                               "    3      3\n"
                               "  200      1\n");
}

TEST_F(InspectIdx, ShowsLabelsOfAnyTypeAndTheirNames) {
  const auto labels = folder_.add("labels", idx({3}, {1, 44, 0, 0, 1, 44}, 0x0B));  // 300, 0, 300
  const auto run = run_warpfit({"inspect", labels});
  EXPECT_EQ(run.exit_code, 0) << run.error;
  EXPECT_NE(run.out.find("dimensions  3 16-bit integers\n"), std::string::npos) << run.out;
  EXPECT_NE(run.out.find("label  count\n    0      1\n  300      2\n"), std::string::npos) << run.out;
  folder_.add("classes.txt", {'z', 'e', 'r', 'o'});
  const auto named = run_warpfit({"inspect", labels});
  EXPECT_NE(named.out.find("label  count  name\n    0      1  zero\n  300      2"), std::string::npos)
      << named.out;
}

// As in training, and with --labels.
TEST_F(InspectIdx, ShowsOneColumnAsLabels) {
  const auto labels = folder_.add("labels", idx({3, 1}, {2, 0, 2}));
  const auto text = inspect(labels);
  EXPECT_TRUE(text.starts_with(labels + ": IDX, labels\ndimensions  3x1 unsigned bytes\n")) << text;
  EXPECT_TRUE(text.ends_with("label  count\n    0      1\n    2      2\n")) << text;
  const auto images = folder_.add("images", idx({3, 1, 1}, {2, 0, 2}));
  EXPECT_NE(inspect(images).find("\nimage 2\n"), std::string::npos);
}

TEST_F(InspectIdx, SaysHowOtherImagesAreConverted) {
  const std::string advice =
      "at byte 2, expected 0x08 (unsigned bytes); tools/make_idx from-idx converts such images";
  for (const auto& bytes : {idx({1, 2, 2}, Bytes(16), 0x0D), idx({1, 2}, Bytes(16), 0x0E),
                            idx({2, 2, 2}, Bytes(16), 0x0B), idx({2, 9}, Bytes(18), 0x09)}) {
    const auto path = folder_.add("images", bytes);
    const auto run = run_warpfit({"inspect", path});
    EXPECT_EQ(run.exit_code, 3) << run.error;
    EXPECT_NE(run.error.find(path + ": element type 0x"), std::string::npos) << run.error;
    EXPECT_NE(run.error.find(advice), std::string::npos) << run.error;
  }
  for (const auto& bytes : {idx({1}, Bytes(4), 0x0D), idx({1, 1}, Bytes(8), 0x0E)}) {
    const auto run = run_warpfit({"inspect", folder_.add("labels", bytes)});
    EXPECT_EQ(run.exit_code, 3) << run.error;
    EXPECT_NE(run.error.find("expected labels of an integer type"), std::string::npos) << run.error;
  }
  const auto qmnist = folder_.add("labels", idx({1, 8}, Bytes(32), 0x0C));
  EXPECT_NE(inspect(qmnist).find(": IDX, labels\n"), std::string::npos);
}

TEST_F(InspectIdx, ShowsImagesWithTheirLabels) {
  const auto images = folder_.add("images", kImages);
  const auto labels = folder_.add("labels", idx({2}, {1, 0}));
  const auto text = inspect(images, {"--labels", labels});
  EXPECT_NE(text.find("crc32       b501cce7\n\n" + labels + ": IDX, labels\ndimensions  2 unsigned bytes\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("\nimage 0: label 1\n    ..\n"), std::string::npos) << text;
  folder_.add("classes.txt", {'z', 'e', 'r', 'o'});
  const auto named = inspect(images, {"--labels", labels});
  EXPECT_NE(named.find("\nimage 0: label 1\n"), std::string::npos) << named;
  EXPECT_NE(named.find("\nimage 1: label 0 (zero)\n"), std::string::npos) << named;

  const auto three = run_warpfit({"inspect", images, "--labels", folder_.add("three", idx({3}, {1, 0, 0}))});
  EXPECT_EQ(three.exit_code, 3);
  EXPECT_NE(three.error.find("three: 3 labels at byte 4, but " + images + " has 2 samples"),
            std::string::npos)
      << three.error;
}

TEST_F(InspectIdx, DrawsImagesStoredByColumns) {
  const auto images = folder_.add("images", kImages);
  EXPECT_TRUE(inspect(images, {"--transpose", "--images=1"}).ends_with("\nimage 0\n  ..\n  --\n..--\n"))
      << inspect(images, {"--transpose", "--images=1"});
}

TEST_F(InspectIdx, RefusesLabelsAndTransposingOfOtherFiles) {
  const auto model = (folder_.path() / "model").string();
  write_safetensors(model, {}, std::vector<TensorView>{});
  const auto labels = folder_.add("labels", kLabels), flat = folder_.add("flat", idx({2, 2}, Bytes(4)));
  for (const auto& [file, flag] : {std::pair{model, "--transpose"},
                                   {labels, "--transpose"},
                                   {flat, "--transpose"},
                                   {model, "--labels=x"},
                                   {labels, "--labels=x"}}) {
    const auto run = run_warpfit({"inspect", file, flag});
    EXPECT_EQ(run.exit_code, 2) << file << flag << run.error;
    EXPECT_NE(run.error.find(std::string(flag).substr(0, 8)), std::string::npos) << run.error;
    EXPECT_NE(run.error.find(file), std::string::npos) << run.error;
  }
}

TEST_F(InspectIdx, DrawsWideAndTallImagesSmaller) {
  Bytes row(100);
  std::fill_n(row.begin(), 51, 255);  // 17 squares of 3 pixels
  const auto wide = inspect(folder_.add("wide", idx({1, 3, 100}, row + row + row)));
  EXPECT_NE(wide.find("\nimage 0\n" + std::string(34, '@') + "\n"), std::string::npos) << wide;
  Bytes dark = row;
  std::fill(dark.begin(), dark.end(), 0);
  const auto faint = inspect(folder_.add("faint", idx({1, 3, 100}, row + dark + dark)));
  EXPECT_NE(faint.find("\nimage 0\n" + std::string(34, '-') + "\n"), std::string::npos) << faint;

  const auto tall = inspect(folder_.add("tall", idx({1, 1000, 1}, Bytes(1000, 255))));
  EXPECT_EQ(std::count(tall.begin(), tall.end(), '@'), 2 * 112) << tall;  // a square is 9 high

  for (const std::uint32_t width : {40U, 41U, 80U, 81U, 1000U}) {
    std::istringstream lines(inspect(folder_.add("row", idx({1, width}, Bytes(width, 255)))));
    std::size_t longest = 0;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with('@')) longest = std::max(longest, line.size());
    }
    EXPECT_LE(longest, 80U) << width;
    EXPECT_GE(longest, 42U) << width;
  }
}

TEST_F(InspectIdx, DrawsImagesWithChannelsLast) {
  const auto path = folder_.add("rgb", idx({1, 2, 2, 3}, {255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0}));
  EXPECT_TRUE(inspect(path).ends_with("\nimage 0\n@@\n\n  @@\n\n\n@@\n")) << inspect(path);
}

TEST_F(InspectIdx, StacksThePlanesOfASample) {
  const auto path = folder_.add("planes", idx({1, 2, 1, 2}, {255, 0, 0, 255}));
  EXPECT_TRUE(inspect(path).ends_with("\nimage 0\n@@\n  @@\n"));
}

TEST_F(InspectIdx, KnowsTheSample) {
  const auto images = (sample_folder() / "train-images-idx3-ubyte.gz").string();
  EXPECT_EQ(inspect(images, {"--images", "0"}), images +
                                                    ": IDX, samples\n"
                                                    "dimensions  300x28x28 unsigned bytes\n"
                                                    "bytes       235216, 131570 as gzip\n"
                                                    "range       0 to 255\n"
                                                    "mean        74.3266, 0.2915 of 255\n"
                                                    "std         90.5784, 0.3552 of 255\n"
                                                    "crc32       99206a59\n");
  const auto labels = inspect((sample_folder() / "t10k-labels-idx1-ubyte.gz").string());
  EXPECT_NE(labels.find("dimensions  100 unsigned bytes\n"), std::string::npos) << labels;
}

TEST_F(InspectIdx, PrintsWhatTheDocumentationShows) {
  const std::string name = "data/sample/train-images-idx3-ubyte.gz";
  const auto path = (source_folder() / name).string();
  const auto text = inspect(path, {"--images", "1"});
  const auto page = read_file(source_folder() / "data/README.md");
  const auto shown = "```\n" + name + text.substr(path.size()) + "```\n";
  EXPECT_NE(std::string(page.begin(), page.end()).find(shown), std::string::npos) << shown;
}

}  // namespace
}  // namespace warpfit::test
