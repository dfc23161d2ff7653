// A set of labelled samples: an IDX file of samples and one of labels that belong together.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/stream/idx_file.hpp"

namespace warpfit {

class Dataset {
 public:
  /// Samples of rank 1 to 3, as many labels, both of unsigned bytes. Labels are kept in memory.
  /// Errors: those of IdxFile; DataError where the counts differ.
  Dataset(const std::string& images_path, const std::string& labels_path);
  /// Samples alone, to be told the labels of; what is read gives each the label 0. Errors: those of IdxFile.
  explicit Dataset(const std::string& images_path);

  [[nodiscard]] std::int64_t size() const { return images_.count(); }
  /// {28, 28}
  [[nodiscard]] std::span<const std::int64_t> sample_shape() const;
  [[nodiscard]] std::int64_t sample_size() const { return images_.sample_size(); }
  /// The highest label plus 1; 0 without labels.
  [[nodiscard]] std::int64_t classes() const { return classes_; }
  /// Tells it from another set: "60000x28x28, labels 1f2e3d4c" with a CRC-32.
  [[nodiscard]] std::string identity() const;
  /// Empty without labels.
  [[nodiscard]] std::span<const std::uint8_t> labels() const { return labels_; }
  [[nodiscard]] const std::string& images_path() const { return images_.path(); }

  /// Errors: DataError naming the first label that is `classes` or more.
  void check_labels_below(std::int64_t classes) const;

  /// The samples from `first` on: pixels (N, sample_size) and labels (N). Safe concurrently with other calls.
  void read(std::int64_t first, std::span<std::uint8_t> pixels, std::span<std::uint8_t> labels) const;
  /// The samples that `indices` names, in that order.
  void gather(std::span<const std::uint32_t> indices, std::span<std::uint8_t> pixels,
              std::span<std::uint8_t> labels) const;

 private:
  IdxFile images_;
  std::optional<IdxFile> label_file_;
  std::vector<std::uint8_t> labels_;
  std::int64_t classes_ = 0;
};

/// The four files of a data set.
struct DatasetPaths {
  std::string train_images, train_labels, test_images, test_labels;
};

/// Fills the paths that are empty with the usual names found in `folder`, gzip or not, or in its `raw` or
/// `FashionMNIST/raw`, as torchvision lays it out. Errors: IoError naming what was looked for; UsageError
/// where a path is empty and so is `folder`.
DatasetPaths find_dataset(const std::string& folder, DatasetPaths given);
/// Likewise the files of the training set alone.
DatasetPaths find_training_set(const std::string& folder, DatasetPaths given);
/// Likewise those of the test set.
DatasetPaths find_test_set(const std::string& folder, DatasetPaths given);

}  // namespace warpfit
