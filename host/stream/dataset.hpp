// A set of labelled samples: an IDX file of samples and one of labels that belong together.
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
  /// Samples of rank 1 to 3 of unsigned bytes, and as many labels of any integer type, which are kept in
  /// memory. Labels are (N), (N, 1), or QMNIST's (N, 8), whose first column is the class.
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
  /// The highest label plus 1; 0 without labels.
  [[nodiscard]] std::int64_t classes() const { return classes_; }
  /// Tells it from another set: "60000x28x28, labels 1f2e3d4c" with a CRC-32.
  [[nodiscard]] std::string identity() const;
  /// Empty without labels.
  [[nodiscard]] ConstLabels labels() const { return labels_; }
  [[nodiscard]] const std::string& images_path() const { return images_.path(); }
  /// Empty without labels.
  [[nodiscard]] std::string labels_path() const { return label_file_ ? label_file_->path() : ""; }

  /// Errors: DataError naming the first label that is `classes` or more.
  void check_labels_below(std::int64_t classes) const;

  /// The samples from `first` on: pixels (N, sample_size) and labels (N). Safe concurrently with other calls.
  void read(std::int64_t first, std::span<std::uint8_t> pixels, Labels labels) const;
  /// The samples that `indices` names, in that order.
  void gather(std::span<const std::uint32_t> indices, std::span<std::uint8_t> pixels, Labels labels) const;

 private:
  IdxFile images_;
  SampleOrientation orientation_;
  std::optional<IdxFile> label_file_;
  std::vector<Label> labels_;
  std::int64_t classes_ = 0;
};

}  // namespace warpfit
