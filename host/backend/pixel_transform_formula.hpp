// The formulas of PixelTransform for all devices. Random numbers are a function of seed, epoch and sample, so
// that all devices, batch sizes and resumed runs use the same ones.
#pragma once

#include <array>
#include <cstdint>

#include "host/backend/philox.hpp"
#include "host/backend/pixel_transform.hpp"
#include "host/backend/views.hpp"

namespace warpfit {

/// The index of the sample that is visited after `visit` others.
constexpr std::int64_t sample_index(const SampleView& samples, std::int64_t visit) {
  return samples.order == nullptr ? visit : samples.order[visit];
}
/// The number in the data set of the sample with this index.
constexpr std::uint32_t sample_number(const SampleView& samples, std::int64_t index) {
  return samples.numbers == nullptr ? static_cast<std::uint32_t>(samples.first_number + index)
                                    : samples.numbers[index];
}

/// The value of a byte of this channel.
constexpr float value_of(const Normalization& normalization, std::uint8_t byte, std::int64_t channel) {
  const float scaled = static_cast<float>(byte) / 255.0F;
  if (normalization.channels == 0) return scaled;
  const auto at = static_cast<std::size_t>(channel);
  return (scaled - normalization.means[at]) / normalization.deviations[at];
}

/// The row or column before a shift by `shift` of an extent of `size`, -1 for a black pixel.
constexpr std::int64_t before_shift(ShiftPadding padding, std::int64_t at, std::int64_t shift,
                                    std::int64_t size) {
  const auto from = at - shift;
  if (from >= 0 && from < size) return from;
  if (padding == ShiftPadding::kZeros) return -1;
  return from < 0 ? -from : 2 * size - 2 - from;
}

/// The random words that decide about a sample.
class AugmentationDraws {
 public:
  // Counters of Philox that differ from those of dropout masks, which have the layer's index there.
  enum Purpose : std::uint32_t { kMoves = 0xA0000000, kFirstFlip, kCutout, kErase };

  constexpr AugmentationDraws(std::uint64_t seed, std::uint32_t sample) : seed_(seed), sample_(sample) {}

  [[nodiscard]] constexpr std::array<std::uint32_t, 4> words(Purpose purpose, std::int64_t epoch) const {
    const auto number = static_cast<std::uint64_t>(epoch);
    return philox(
        {sample_, purpose, static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(number >> 32)},
        seed_);
  }
  /// A number from 0 to count - 1, for a random word and a count below 2^32.
  [[nodiscard]] static constexpr std::int64_t below(std::uint32_t word, std::int64_t count) {
    return static_cast<std::int64_t>((std::uint64_t{word} * static_cast<std::uint64_t>(count)) >> 32);
  }

 private:
  std::uint64_t seed_;
  std::uint32_t sample_;
};

/// What is done with a sample of the data set in an epoch.
constexpr Placement placement_of(const Augmentation& augmentation, const Image& image, std::int64_t epoch,
                                 std::uint32_t sample) {
  using Draws = AugmentationDraws;
  const Draws draws(augmentation.seed, sample);
  Placement placement;
  placement.padding = augmentation.padding;
  const auto moves = draws.words(Draws::kMoves, epoch);
  placement.down = Draws::below(moves[0], 2 * augmentation.shift + 1) - augmentation.shift;
  placement.right = Draws::below(moves[1], 2 * augmentation.shift + 1) - augmentation.shift;
  if (augmentation.flip == FlipMode::kRandom) placement.flips = Draws::below(moves[2], 2) == 1;
  if (augmentation.flip == FlipMode::kAlternate)
    placement.flips = (Draws::below(draws.words(Draws::kFirstFlip, 0)[0], 2) + epoch) % 2 == 1;
  if (const auto side = augmentation.cutout; side > 0) {
    const auto center = draws.words(Draws::kCutout, epoch);
    const auto top = Draws::below(center[0], image.height) - side / 2;
    const auto left = Draws::below(center[1], image.width) - side / 2;
    placement.erased[0] = {top, left, top + side, left + side};
  }
  if (augmentation.erase_probability > 0) {
    const auto words = draws.words(Draws::kErase, epoch);
    const auto& extent =
        augmentation.erase_extents[static_cast<std::size_t>(Draws::below(words[1], augmentation.extents))];
    const auto top = Draws::below(words[2], image.height - extent.height + 1);
    const auto left = Draws::below(words[3], image.width - extent.width + 1);
    if (static_cast<double>(words[0]) < augmentation.erase_probability * 4294967296.0)
      placement.erased[1] = {top, left, top + extent.height, left + extent.width};
  }
  return placement;
}

constexpr Placement placement_of(const PixelTransform& transform, std::int64_t epoch, std::uint32_t sample) {
  if (transform.augmentation.is_off()) return transform.view;
  return placement_of(transform.augmentation, transform.image, epoch, sample);
}

constexpr bool contains(const Rectangle& rectangle, std::int64_t row, std::int64_t column) {
  return row >= rectangle.top && row < rectangle.bottom && column >= rectangle.left &&
         column < rectangle.right;
}

/// Value `i` of a sample with these pixels, both in row-major order with the channels first.
constexpr float value_at(const PixelTransform& transform, const Placement& placement,
                         const std::uint8_t* pixels, std::int64_t i) {
  const auto& [channels, height, width] = transform.image;
  const auto channel = i / (height * width);
  const auto row = i % (height * width) / width;
  const auto column = i % width;
  if (contains(placement.erased[0], row, column) || contains(placement.erased[1], row, column)) return 0;
  const auto from_row = before_shift(placement.padding, row, placement.down, height);
  const auto from_column = before_shift(placement.padding, column, placement.right, width);
  if (from_row < 0 || from_column < 0) return value_of(transform.normalization, 0, channel);
  const auto mirrored = placement.flips ? width - 1 - from_column : from_column;
  return value_of(transform.normalization, pixels[(channel * height + from_row) * width + mirrored], channel);
}

}  // namespace warpfit
