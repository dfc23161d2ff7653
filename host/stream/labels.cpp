#include "host/stream/labels.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <span>

#include "host/base/big_endian.hpp"
#include "host/base/error.hpp"

namespace warpfit {
namespace {

constexpr std::int64_t kMaxLabel = std::numeric_limits<Label>::max();

std::int64_t first_element(std::span<const std::uint8_t> row, IdxType type) {
  switch (type) {
    case IdxType::kInt8:
      return static_cast<std::int8_t>(row[0]);
    case IdxType::kInt16:
      return static_cast<std::int16_t>(big_endian(row.first(2)));
    case IdxType::kInt32:
      return static_cast<std::int32_t>(big_endian(row.first(4)));
    default:
      return row[0];
  }
}

}  // namespace

void check_is_labels(const IdxFile& file) {
  constexpr std::int64_t kQmnistColumns = 8;
  const auto& dimensions = file.dimensions();
  if (dimensions.size() == 1 || dimensions[1] == 1) return;
  if (dimensions[1] == kQmnistColumns && file.type() == IdxType::kInt32) return;
  throw DataError(fmt::format(
      "{}: {} {} from byte 4 on, expected one label per sample, or QMNIST's table of eight 32-bit integers; "
      "are images and labels swapped, or the labels one-hot?",
      file.path(), fmt::join(dimensions, "x"), element_name(file.type())));
}

void check_counts(const IdxFile& images, const IdxFile& labels) {
  if (images.count() == labels.count()) return;
  throw DataError(fmt::format("{}: {} labels at byte 4, but {} has {} samples at byte 4; expected as many",
                              labels.path(), labels.count(), images.path(), images.count()));
}

std::vector<Label> read_labels(const IdxFile& file) {
  constexpr std::int64_t kPieceBytes = 1 << 20;
  std::vector<Label> labels;
  labels.reserve(static_cast<std::size_t>(file.count()));
  const auto size = static_cast<std::size_t>(file.sample_size());
  std::vector<std::uint8_t> piece;
  for (std::int64_t first = 0; first < file.count();) {
    const auto rows =
        std::min(file.count() - first, std::max<std::int64_t>(1, kPieceBytes / file.sample_size()));
    piece.resize(static_cast<std::size_t>(rows) * size);
    file.read(first, piece);
    for (std::int64_t row = 0; row < rows; ++row) {
      const auto label =
          first_element(std::span(piece).subspan(static_cast<std::size_t>(row) * size, size), file.type());
      if (label < 0 || label > kMaxLabel) {
        throw DataError(fmt::format("{}: label {} of sample {} at byte {}, expected 0 to {}", file.path(),
                                    label, first + row, file.byte_of(first + row), kMaxLabel));
      }
      labels.push_back(static_cast<Label>(label));
    }
    first += rows;
  }
  file.check_unchanged(file.count());
  return labels;
}

}  // namespace warpfit
