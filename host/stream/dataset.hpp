// A set of labelled samples: an IDX file of samples and one of their labels.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/backend/views.hpp"
#include "host/stream/idx_file.hpp"
#include "host/stream/sample_layout.hpp"

namespace warpfit {

class Dataset {
 public:
  /// Reads samples of 1 to 3 dimensions of unsigned bytes, and as many labels of any integer type, which are
  /// kept in memory. Labels are (N), (N, 1), or QMNIST's (N, 8), whose first column is the class.
  /// Errors: those of IdxFile; DataError if the counts differ or a label is negative or above 65535;
  /// UsageError if the samples do not fit the layout.
  Dataset(const std::string& images_path, const std::string& labels_path, const SampleLayout& layout = {});
  /// Samples without labels, for predictions; read() and gather() give each the label 0.
  explicit Dataset(const std::string& images_path, const SampleLayout& layout = {});

  [[nodiscard]] std::int64_t size() const { return images_.count(); }
  /// {28, 28} or {3, 32, 32}: as read() and gather() return the samples, in rows and with their channels
  /// first.
  [[nodiscard]] std::span<const std::int64_t> sample_shape() const { return orientation_.shape(); }
  [[nodiscard]] std::int64_t sample_size() const { return images_.sample_size(); }
  /// The highest label plus 1; 0 if there are no labels.
  [[nodiscard]] std::int64_t classes() const { return classes_; }
  /// Distinguishes the set from others: "60000x28x28, labels 1f2e3d4c" with a CRC-32.
  [[nodiscard]] std::string identity() const;
  /// Empty if there are no labels.
  [[nodiscard]] ConstLabels labels() const { return labels_; }
  [[nodiscard]] const std::string& images_path() const { return images_.path(); }
  /// Empty if there are no labels.
  [[nodiscard]] std::string labels_path() const { return label_file_ ? label_file_->path() : ""; }

  /// Errors: DataError naming the first label that is not below `classes`.
  void check_labels_below(std::int64_t classes) const;

  /// Reads the samples from `first` on: pixels (N, sample_size) and labels (N). Safe to call concurrently.
  void read(std::int64_t first, std::span<std::uint8_t> pixels, Labels labels) const;
  /// Reads the samples with these indices, in this order.
  void gather(std::span<const std::uint32_t> indices, std::span<std::uint8_t> pixels, Labels labels) const;

 private:
  IdxFile images_;
  SampleOrientation orientation_;
  std::optional<IdxFile> label_file_;
  std::vector<Label> labels_;
  std::int64_t classes_ = 0;
};

}  // namespace warpfit
