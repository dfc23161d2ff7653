// How the bytes of a sample become the values that a network reads: augmentation, then normalization. Random
// numbers are a function of seed, epoch and sample, so that all devices, batch sizes and resumed runs use the
// same ones.
#pragma once

#include <array>
#include <cstdint>

#include "host/backend/image.hpp"
#include "host/backend/philox.hpp"

namespace warpfit {

/// value = (byte / 255 - mean) / deviation, with one mean and one standard deviation for each channel. Every
/// operation is correctly rounded, as in torchvision's ToTensor and Normalize.
struct Normalization {
  static constexpr std::int64_t kMaxChannels = 16;

  std::int64_t channels = 0;  ///< 0: value = byte / 255
  std::array<float, kMaxChannels> means{}, deviations{};

  [[nodiscard]] constexpr float value(std::uint8_t byte, std::int64_t channel) const {
    const float scaled = static_cast<float>(byte) / 255.0F;
    if (channels == 0) return scaled;
    const auto at = static_cast<std::size_t>(channel);
    return (scaled - means[at]) / deviations[at];
  }
  friend bool operator==(const Normalization&, const Normalization&) = default;
};

/// The pixels of rows top to bottom - 1 and columns left to right - 1.
struct Rectangle {
  std::int64_t top = 0, left = 0, bottom = 0, right = 0;

  [[nodiscard]] constexpr bool contains(std::int64_t row, std::int64_t column) const {
    return row >= top && row < bottom && column >= left && column < right;
  }
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

  /// The row or column before a shift by `shift` of an extent of `size`, -1 for a black pixel.
  [[nodiscard]] constexpr std::int64_t before_shift(std::int64_t at, std::int64_t shift,
                                                    std::int64_t size) const {
    const auto from = at - shift;
    if (from >= 0 && from < size) return from;
    if (padding == ShiftPadding::kZeros) return -1;
    return from < 0 ? -from : 2 * size - 2 - from;
  }
  [[nodiscard]] constexpr bool erases(std::int64_t row, std::int64_t column) const {
    return erased[0].contains(row, column) || erased[1].contains(row, column);
  }
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

  /// What is done with a sample of the data set in an epoch.
  [[nodiscard]] constexpr Placement place(const Image& image, std::int64_t epoch,
                                          std::uint32_t sample) const {
    Placement placement;
    placement.padding = padding;
    const auto moves = words(kMoves, epoch, sample);
    placement.down = below(moves[0], 2 * shift + 1) - shift;
    placement.right = below(moves[1], 2 * shift + 1) - shift;
    if (flip == FlipMode::kRandom) placement.flips = below(moves[2], 2) == 1;
    if (flip == FlipMode::kAlternate)
      placement.flips = (below(words(kFirstFlip, 0, sample)[0], 2) + epoch) % 2 == 1;
    if (cutout > 0) {
      const auto center = words(kCutout, epoch, sample);
      const auto top = below(center[0], image.height) - cutout / 2;
      const auto left = below(center[1], image.width) - cutout / 2;
      placement.erased[0] = {top, left, top + cutout, left + cutout};
    }
    if (erase_probability > 0) {
      const auto draws = words(kErase, epoch, sample);
      const auto& extent = erase_extents[static_cast<std::size_t>(below(draws[1], extents))];
      const auto top = below(draws[2], image.height - extent.height + 1);
      const auto left = below(draws[3], image.width - extent.width + 1);
      if (static_cast<double>(draws[0]) < erase_probability * 4294967296.0)
        placement.erased[1] = {top, left, top + extent.height, left + extent.width};
    }
    return placement;
  }

 private:
  // Words of Philox counters that differ from those of dropout masks, which have the layer's index there.
  enum Purpose : std::uint32_t { kMoves = 0xA0000000, kFirstFlip, kCutout, kErase };

  [[nodiscard]] constexpr std::array<std::uint32_t, 4> words(Purpose purpose, std::int64_t epoch,
                                                             std::uint32_t sample) const {
    const auto number = static_cast<std::uint64_t>(epoch);
    return philox(
        {sample, purpose, static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(number >> 32)},
        seed);
  }
  /// A number from 0 to count - 1, for a random word and a count below 2^32.
  [[nodiscard]] static constexpr std::int64_t below(std::uint32_t word, std::int64_t count) {
    return static_cast<std::int64_t>((std::uint64_t{word} * static_cast<std::uint64_t>(count)) >> 32);
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

  [[nodiscard]] constexpr Placement place(std::int64_t epoch, std::uint32_t sample) const {
    return augmentation.is_off() ? view : augmentation.place(image, epoch, sample);
  }
  /// Value `i` of a sample with these pixels, both in row-major order with the channels first.
  [[nodiscard]] constexpr float value(const Placement& placement, const std::uint8_t* pixels,
                                      std::int64_t i) const {
    const auto channel = i / image.pixels();
    const auto row = i % image.pixels() / image.width;
    const auto column = i % image.width;
    if (placement.erases(row, column)) return 0;
    const auto from_row = placement.before_shift(row, placement.down, image.height);
    const auto from_column = placement.before_shift(column, placement.right, image.width);
    if (from_row < 0 || from_column < 0) return normalization.value(0, channel);
    const auto mirrored = placement.flips ? image.width - 1 - from_column : from_column;
    return normalization.value(pixels[(channel * image.height + from_row) * image.width + mirrored], channel);
  }
};

}  // namespace warpfit
