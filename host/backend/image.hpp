// Shapes of images between operations.
#pragma once

#include <cstdint>

namespace warpfit {

/// The values of a sample: the channels one after the other, each of height x width values.
struct Image {
  std::int64_t channels = 1, height = 1, width = 1;

  [[nodiscard]] constexpr std::int64_t size() const { return channels * height * width; }
  friend bool operator==(const Image&, const Image&) = default;
};

/// The windows of an operation (kernel positions) along one dimension.
struct Windows {
  std::int64_t size = 1;     ///< values in a window
  std::int64_t stride = 1;   ///< distance between the starts of successive windows
  std::int64_t padding = 0;  ///< values added on each side

  /// How many windows fit into `extent` values with their padding; 0 or less if none fits.
  [[nodiscard]] constexpr std::int64_t count(std::int64_t extent) const {
    const auto space = extent + 2 * padding - size;
    return space < 0 ? 0 : space / stride + 1;
  }
  /// The first window that contains value `at`, and the window after the last one that does.
  [[nodiscard]] constexpr std::int64_t first(std::int64_t at) const {
    const auto before = at + padding - size;
    return before < 0 ? 0 : before / stride + 1;
  }
  [[nodiscard]] constexpr std::int64_t end(std::int64_t at, std::int64_t count) const {
    const auto last = (at + padding) / stride + 1;
    return last < count ? last : count;
  }

  friend bool operator==(const Windows&, const Windows&) = default;
};

}  // namespace warpfit
