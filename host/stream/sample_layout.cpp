#include "host/stream/sample_layout.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

bool can_be_channels(std::int64_t extent) { return extent == 1 || extent == 3 || extent == 4; }

}  // namespace

SampleOrientation::SampleOrientation(std::span<const std::int64_t> dimensions, const SampleLayout& layout,
                                     std::string_view path)
    : shape_(dimensions.begin() + 1, dimensions.end()) {
  if (layout.is_transposed) {
    if (shape_.size() != 2) {
      throw UsageError(
          fmt::format("--transpose: the samples of {} are {}, expected images of two dimensions, as in 28x28",
                      path, fmt::join(shape_, "x")));
    }
    rows_ = static_cast<std::size_t>(shape_[0]);
    columns_ = static_cast<std::size_t>(shape_[1]);
    std::swap(shape_[0], shape_[1]);
    text_ = " transposed";
    return;
  }
  const bool is_last = layout.channels == ChannelOrder::kLast ||
                       (layout.channels == ChannelOrder::kAuto && can_be_channels(shape_.back()) &&
                        !can_be_channels(shape_[0]));
  if (shape_.size() != 3 || !is_last) return;
  rows_ = static_cast<std::size_t>(shape_[0] * shape_[1]);
  columns_ = static_cast<std::size_t>(shape_[2]);
  std::rotate(shape_.begin(), shape_.end() - 1, shape_.end());
  text_ = " channels last";
}

void SampleOrientation::apply(std::span<std::uint8_t> pixels) const {
  const auto size = rows_ * columns_;
  if (size == 0) return;
  std::vector<std::uint8_t> stored(size);
  for (; !pixels.empty(); pixels = pixels.subspan(size)) {
    std::copy_n(pixels.begin(), size, stored.begin());
    for (std::size_t column = 0; column < columns_; ++column) {
      for (std::size_t row = 0; row < rows_; ++row)
        pixels[column * rows_ + row] = stored[row * columns_ + column];
    }
  }
}

}  // namespace warpfit
