// The shape of one sample between two layers.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "host/backend/image.hpp"

namespace warpfit {

/// Channels, height and width; a vector of K values is {K, 1, 1}.
struct Shape {
  std::int64_t channels = 1, height = 1, width = 1;

  [[nodiscard]] std::int64_t size() const { return channels * height * width; }
  [[nodiscard]] constexpr bool is_vector() const { return height == 1 && width == 1; }
  friend bool operator==(const Shape&, const Shape&) = default;
};

/// The shape of samples with these dimensions: {28, 28} is one channel of 28 x 28, {3, 32, 32} three
/// channels; samples of more than three dimensions are treated as vectors.
[[nodiscard]] Shape shape_of(std::span<const std::int64_t> extents);

/// The image of samples of this shape; a vector is an image of one channel and one row.
[[nodiscard]] constexpr Image image_of(const Shape& shape) {
  if (shape.is_vector()) return {1, 1, shape.channels};
  return {shape.channels, shape.height, shape.width};
}

/// "784" or "1x28x28"
[[nodiscard]] std::string text_of(const Shape& shape);

}  // namespace warpfit
