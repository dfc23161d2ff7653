#include "host/stream/dataset.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "host/base/error.hpp"
#include "host/files/crc32.hpp"
#include "host/stream/labels.hpp"

namespace warpfit {
Dataset::Dataset(const std::string& images_path) : images_(images_path, 2, 4, IdxElements::kBytes) {}

// What the headers say is compared before memory is taken for the samples: a small gzip file can hold much.
Dataset::Dataset(const std::string& images_path, const std::string& labels_path)
    : images_(images_path, 2, 4, IdxElements::kBytes, IdxFile::Decode::kLater) {
  auto& file = label_file_.emplace(labels_path, 1, 2, IdxElements::kIntegers, IdxFile::Decode::kLater);
  check_is_labels(file);
  if (images_.count() != file.count()) {
    throw DataError(fmt::format("{}: {} labels at byte 4, but {} has {} samples at byte 4; expected as many",
                                labels_path, file.count(), images_path, images_.count()));
  }
  file.decode();
  images_.decode();
  labels_ = read_labels(file);
  classes_ = *std::max_element(labels_.begin(), labels_.end()) + 1;
}

std::span<const std::int64_t> Dataset::sample_shape() const {
  return std::span(images_.dimensions()).subspan(1);
}

// Of bytes if all labels are bytes, as in runs of versions that read no others.
std::string Dataset::identity() const {
  constexpr std::int64_t kByteClasses = 256;
  const std::vector<std::uint8_t> bytes(labels_.begin(), labels_.end());
  const auto checksum = classes_ <= kByteClasses ? crc32_of(std::as_bytes(std::span(bytes)))
                                                 : crc32_of(std::as_bytes(std::span(labels_)));
  return fmt::format("{}, labels {:08x}", fmt::join(images_.dimensions(), "x"), checksum);
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
}

}  // namespace warpfit
