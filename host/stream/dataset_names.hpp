// Names of the files of data sets: [PREFIX](train|t10k|test)-(images|labels)(-|.)idxN-TYPE[.gz], such as
// train-images-idx3-ubyte or emnist-letters-test-labels-idx1-ubyte.gz.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace warpfit {

/// The usual names of the training images and labels, and of the test images and labels. Their indices are
/// what a file of a data set is for.
inline constexpr std::array<std::string_view, 4> kUsualNames{
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

struct DatasetFileName {
  std::string prefix;       ///< "emnist-letters-"
  std::size_t purpose = 0;  ///< index of a usual name
  bool is_usual = false;    ///< without prefix and ".gz", it is the usual name
  bool is_gzip = false;     ///< ends in ".gz" in any case
  bool says_test = false;   ///< "test" where the usual name has "t10k"
};

/// The parts of a file's name, or nothing if it is not of this form.
std::optional<DatasetFileName> parse_dataset_file_name(std::string_view name);

}  // namespace warpfit
