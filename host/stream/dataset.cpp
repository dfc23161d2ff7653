#include "host/stream/dataset.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "host/base/error.hpp"
#include "host/files/crc32.hpp"

namespace warpfit {
namespace {

struct UsualFile {
  std::string DatasetPaths::*path;
  std::string_view flag;
  std::string_view name;
};

constexpr std::array<UsualFile, 4> kUsualFiles{{
    {&DatasetPaths::train_images, "--train-images", "train-images-idx3-ubyte"},
    {&DatasetPaths::train_labels, "--train-labels", "train-labels-idx1-ubyte"},
    {&DatasetPaths::test_images, "--test-images", "t10k-images-idx3-ubyte"},
    {&DatasetPaths::test_labels, "--test-labels", "t10k-labels-idx1-ubyte"},
}};

[[noreturn]] void fail_to_look(const std::filesystem::path& path, const std::error_code& error) {
  throw IoError(fmt::format("{}: cannot look for the data set: {}", path.string(), error.message()));
}

// "" where none is there. A path that cannot be looked at is passed over, but told of if the file is nowhere
// else.
std::string find_file(const std::filesystem::path& folder, std::string_view name) {
  std::filesystem::path unknown;
  std::error_code why;
  for (const char* below : {"", "raw", "FashionMNIST/raw"}) {
    for (const char* ending : {"", ".gz"}) {
      auto path = folder / below / (std::string(name) + ending);
      std::error_code error;
      if (std::filesystem::exists(path, error)) return path.string();
      if (error && !why) {
        unknown = path;
        why = error;
      }
    }
  }
  if (why) fail_to_look(unknown, why);
  const auto status = std::filesystem::status(folder, why);
  if (!std::filesystem::exists(status))
    fail_to_look(folder, std::make_error_code(std::errc::no_such_file_or_directory));
  if (!std::filesystem::is_directory(status))
    fail_to_look(folder, std::make_error_code(std::errc::not_a_directory));
  return "";
}

DatasetPaths find_files(const std::string& folder, DatasetPaths given, std::span<const UsualFile> wanted) {
  for (const auto& usual : wanted) {
    std::string& path = given.*usual.path;
    if (!path.empty()) continue;
    if (folder.empty()) {
      throw UsageError(fmt::format("no {} given; name the folder of the data set with --data", usual.flag));
    }
    path = find_file(folder, usual.name);
    if (path.empty()) {
      throw IoError(fmt::format("{}: no {} or {}.gz in it; name the file with {}", folder, usual.name,
                                usual.name, usual.flag));
    }
  }
  return given;
}

}  // namespace

DatasetPaths find_dataset(const std::string& folder, DatasetPaths given) {
  return find_files(folder, std::move(given), kUsualFiles);
}

DatasetPaths find_training_set(const std::string& folder, DatasetPaths given) {
  return find_files(folder, std::move(given), std::span(kUsualFiles).first(2));
}

DatasetPaths find_test_set(const std::string& folder, DatasetPaths given) {
  return find_files(folder, std::move(given), std::span(kUsualFiles).last(2));
}

Dataset::Dataset(const std::string& images_path) : images_(images_path, 2, 4) {}

// What the headers say is compared before memory is taken for the samples: a small gzip file can hold much.
Dataset::Dataset(const std::string& images_path, const std::string& labels_path)
    : images_(images_path, 2, 4, IdxFile::Decode::kLater) {
  auto& file = label_file_.emplace(labels_path, 1, 1, IdxFile::Decode::kLater);
  if (images_.count() != file.count()) {
    throw DataError(fmt::format("{}: {} labels at byte 4, but {} has {} samples at byte 4; expected as many",
                                labels_path, file.count(), images_path, images_.count()));
  }
  file.decode();
  images_.decode();
  labels_.resize(static_cast<std::size_t>(file.count()));
  file.read(0, labels_);
  file.check_unchanged(file.count());
  classes_ = *std::max_element(labels_.begin(), labels_.end()) + 1;
}

std::span<const std::int64_t> Dataset::sample_shape() const {
  return std::span(images_.dimensions()).subspan(1);
}

std::string Dataset::identity() const {
  return fmt::format("{}, labels {:08x}", fmt::join(images_.dimensions(), "x"),
                     crc32_of(std::as_bytes(std::span(labels_))));
}

void Dataset::check_labels_below(std::int64_t classes) const {
  if (classes_ <= classes) return;
  const auto bad =
      std::find_if(labels_.begin(), labels_.end(), [&](std::uint8_t label) { return label >= classes; });
  throw DataError(fmt::format("{}: label {} at byte {}, expected labels below {} (the network's outputs)",
                              label_file_->path(), *bad, label_file_->byte_of(bad - labels_.begin()),
                              classes));
}

void Dataset::read(std::int64_t first, std::span<std::uint8_t> pixels, std::span<std::uint8_t> labels) const {
  images_.read(first, pixels);
  images_.check_unchanged(first + static_cast<std::int64_t>(labels.size()));
  if (labels_.empty()) {
    std::ranges::fill(labels, std::uint8_t{0});
  } else {
    std::memcpy(labels.data(), labels_.data() + first, labels.size());
  }
}

void Dataset::gather(std::span<const std::uint32_t> indices, std::span<std::uint8_t> pixels,
                     std::span<std::uint8_t> labels) const {
  images_.gather(indices, pixels);
  for (std::size_t i = 0; i < indices.size(); ++i) labels[i] = labels_.empty() ? 0 : labels_[indices[i]];
  images_.check_unchanged(images_.count());
}

}  // namespace warpfit
