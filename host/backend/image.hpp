// Shapes of images between operations.
#pragma once

#include <cstdint>

namespace warpfit {

/// The values of a sample: channels of height x width, one after the other.
struct Image {
  std::int64_t channels = 1, height = 1, width = 1;

  [[nodiscard]] constexpr std::int64_t size() const { return channels * height * width; }
  friend bool operator==(const Image&, const Image&) = default;
};

/// The windows of an operation along one dimension.
struct Windows {
  std::int64_t size = 1;     ///< values of a window
  std::int64_t stride = 1;   ///< from the start of one to the start of the next
  std::int64_t padding = 0;  ///< values that are added on each side

  /// How many windows lie within `extent` values; 0 or less if not even one does.
  [[nodiscard]] constexpr std::int64_t count(std::int64_t extent) const {
    const auto space = extent + 2 * padding - size;
    return space < 0 ? 0 : space / stride + 1;
  }
  /// The first window that holds value `at`, and the one after the last.
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
