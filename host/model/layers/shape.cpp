#include "host/model/layers/shape.hpp"

#include <fmt/core.h>

#include <functional>
#include <numeric>

namespace warpfit {

Shape shape_of(std::span<const std::int64_t> extents) {
  if (extents.size() == 2) return {1, extents[0], extents[1]};
  if (extents.size() == 3) return {extents[0], extents[1], extents[2]};
  return {std::accumulate(extents.begin(), extents.end(), std::int64_t{1}, std::multiplies<>()), 1, 1};
}

std::string text_of(const Shape& shape) {
  if (shape.is_vector()) return fmt::format("{}", shape.channels);
  return fmt::format("{}x{}x{}", shape.channels, shape.height, shape.width);
}

}  // namespace warpfit
