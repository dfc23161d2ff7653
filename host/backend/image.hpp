// Shapes of images between operations.
#pragma once

#include <cstdint>

namespace warpfit {

/// An image in the memory of an operation: row by row, the channels of a pixel next to each other (NHWC, or
/// channels last).
struct Image {
  std::int64_t channels = 1, height = 1, width = 1;

  [[nodiscard]] constexpr std::int64_t pixels() const { return height * width; }
  [[nodiscard]] constexpr std::int64_t size() const { return channels * height * width; }
  friend bool operator==(const Image&, const Image&) = default;
};

/// The windows of an operation (kernel positions) along one dimension.
struct Windows {
  std::int64_t size = 1;      ///< values in a window
  std::int64_t stride = 1;    ///< distance between the starts of successive windows
  std::int64_t padding = 0;   ///< values added on each side
  std::int64_t dilation = 1;  ///< distance between successive values of a window
  std::int64_t extra = 0;     ///< values added at the end besides `padding`; only of convolutions

  /// Distance from the first to one past the last value of a window.
  [[nodiscard]] constexpr std::int64_t extent() const { return dilation * (size - 1) + 1; }

  /// How many windows fit into `values` values with their padding; 0 if none fits.
  [[nodiscard]] constexpr std::int64_t count(std::int64_t values) const {
    const auto space = values + 2 * padding + extra - extent();
    return space < 0 ? 0 : space / stride + 1;
  }
  /// The first window that contains value `at`, and the window after the last one that does; only without
  /// dilation.
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
