#include "host/stream/dataset.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "host/base/error.hpp"
#include "host/files/crc32.hpp"
#include "host/stream/labels.hpp"

namespace warpfit {
namespace {

// Computed over bytes if all labels fit into bytes, as in versions that read only byte labels.
std::uint32_t checksum(std::span<const Label> labels, std::int64_t classes) {
  constexpr std::int64_t kByteClasses = 256;
  if (classes > kByteClasses) return crc32_of(std::as_bytes(labels));
  const std::vector<std::uint8_t> bytes(labels.begin(), labels.end());
  return crc32_of(std::as_bytes(std::span(bytes)));
}

}  // namespace

Dataset::Dataset(const std::string& images_path, const SampleLayout& layout)
    : images_(images_path, 2, 4, IdxElements::kBytes),
      orientation_(images_.dimensions(), layout, images_path) {}

// The headers are compared before memory is allocated for the samples: a small gzip file can be huge decoded.
Dataset::Dataset(const std::string& images_path, const std::string& labels_path, const SampleLayout& layout)
    : images_(images_path, 2, 4, IdxElements::kBytes, IdxFile::Decode::kLater),
      orientation_(images_.dimensions(), layout, images_path) {
  auto& file = label_file_.emplace(labels_path, 1, 2, IdxElements::kIntegers, IdxFile::Decode::kLater);
  check_is_labels(file);
  check_counts(images_, file);
  file.decode();
  images_.decode();
  labels_ = read_labels(file);
  classes_ = *std::max_element(labels_.begin(), labels_.end()) + 1;
}

std::string Dataset::identity() const {
  return fmt::format("{}{}, labels {:08x}", fmt::join(images_.dimensions(), "x"), orientation_.text(),
                     checksum(labels_, classes_));
}

void Dataset::check_labels_below(std::int64_t classes) const {
  if (classes_ <= classes) return;
  const auto bad =
      std::find_if(labels_.begin(), labels_.end(), [&](Label label) { return label >= classes; });
  throw DataError(fmt::format("{}: label {} at byte {}, expected labels below {} (the network's outputs)",
                              label_file_->path(), *bad, label_file_->byte_of(bad - labels_.begin()),
                              classes));
}

void Dataset::read(std::int64_t first, std::span<std::uint8_t> pixels, Labels labels) const {
  images_.read(first, pixels);
  images_.check_unchanged(first + static_cast<std::int64_t>(labels.size()));
  orientation_.apply(pixels);
  if (labels_.empty()) {
    std::ranges::fill(labels, Label{0});
  } else {
    std::memcpy(labels.data(), labels_.data() + first, labels.size_bytes());
  }
}

void Dataset::gather(std::span<const std::uint32_t> indices, std::span<std::uint8_t> pixels,
                     Labels labels) const {
  images_.gather(indices, pixels);
  for (std::size_t i = 0; i < indices.size(); ++i) labels[i] = labels_.empty() ? 0 : labels_[indices[i]];
  images_.check_unchanged(images_.count());
  orientation_.apply(pixels);
}

}  // namespace warpfit
