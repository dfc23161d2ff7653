// How the bytes of a sample become the values that a network reads: augmentation, then normalization. The
// formulas are in pixel_transform_formula.hpp.
#pragma once

#include <array>
#include <cstdint>

#include "host/backend/image.hpp"

namespace warpfit {

/// value = (byte / 255 - mean) / deviation, with one mean and one standard deviation for each channel. Every
/// operation is correctly rounded, as in torchvision's ToTensor and Normalize.
struct Normalization {
  static constexpr std::int64_t kMaxChannels = 16;

  std::int64_t channels = 0;  ///< 0: value = byte / 255
  std::array<float, kMaxChannels> means{}, deviations{};

  friend bool operator==(const Normalization&, const Normalization&) = default;
};

/// The pixels of rows top to bottom - 1 and columns left to right - 1.
struct Rectangle {
  std::int64_t top = 0, left = 0, bottom = 0, right = 0;
};

enum class ShiftPadding : std::uint8_t {
  kZeros,   ///< black pixels, as torchvision's RandomCrop
  kReflect  ///< the image mirrored at its edge, without repeating the edge
};

/// An image mirrored if `flips`, then moved down and to the right (or up and to the left if negative), then
/// with rectangles whose values are 0.
struct Placement {
  bool flips = false;
  ShiftPadding padding = ShiftPadding::kZeros;
  std::int64_t down = 0, right = 0;
  std::array<Rectangle, 2> erased{};

  [[nodiscard]] constexpr bool moves_nothing() const { return !flips && down == 0 && right == 0; }
};

enum class FlipMode : std::uint8_t {
  kNever,
  kRandom,    ///< with probability 1/2
  kAlternate  ///< in every other epoch, beginning with the first or the second one at random
};

/// Random changes of training images.
struct Augmentation {
  struct Extent {
    std::int32_t height = 0, width = 0;
  };
  static constexpr std::size_t kMaxExtents = 256;

  std::uint64_t seed = 0;
  FlipMode flip = FlipMode::kNever;
  ShiftPadding padding = ShiftPadding::kZeros;
  std::int64_t shift = 0;   ///< maximum shift in pixels along each axis
  std::int64_t cutout = 0;  ///< side of the square that is set to 0, parts of which may be outside; 0: none
  double erase_probability = 0;  ///< of setting a rectangle within the image to 0
  std::int64_t extents = 0;      ///< number of extents that such a rectangle may have, all equally likely
  std::array<Extent, kMaxExtents> erase_extents{};

  [[nodiscard]] constexpr bool is_off() const {
    return flip == FlipMode::kNever && shift == 0 && cutout == 0 && erase_probability == 0;
  }
};

struct PixelTransform {
  Image image = {};  ///< of a sample: channels first
  Normalization normalization = {};
  Augmentation augmentation = {};
  Placement view = {};  ///< of all samples if there is no augmentation

  /// Whether all values are byte / 255, at the byte's place.
  [[nodiscard]] constexpr bool is_plain() const { return normalization.channels == 0 && moves_nothing(); }
  /// Whether each value is that of the byte at its place.
  [[nodiscard]] constexpr bool moves_nothing() const { return augmentation.is_off() && view.moves_nothing(); }
};

}  // namespace warpfit
