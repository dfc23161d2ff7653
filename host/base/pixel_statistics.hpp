// Mean and standard deviation of the pixels of images.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

namespace warpfit {

/// Statistics of pixels divided by 255, in the units of torchvision's Normalize.
struct PixelStatistics {
  double mean = 0;
  double deviation = 0;  ///< over all pixels, not an estimate from a sample (ddof = 0)

  bool operator==(const PixelStatistics&) const = default;
};

/// Accumulates pixels in pieces. The sums are exact and therefore the same in any order.
class PixelSums {
 public:
  void add(std::span<const std::uint8_t> pixels) {
    constexpr std::size_t kBlock = 1 << 16;  // the sum of this many squares fits into 32 bits
    while (!pixels.empty()) {
      const auto block = pixels.first(std::min(pixels.size(), kBlock));
      std::uint32_t sum = 0, squares = 0;
      for (const std::uint32_t pixel : block) {
        sum += pixel;
        squares += pixel * pixel;
      }
      count_ += block.size();
      sum_ += sum;
      squares_ += squares;
      pixels = pixels.subspan(block.size());
    }
  }

  /// Requires at least one pixel.
  [[nodiscard]] PixelStatistics statistics() const {
    constexpr double kWhite = 255;
    const auto count = static_cast<long double>(count_);
    const auto mean = static_cast<long double>(sum_) / count;
    const auto variance = static_cast<long double>(squares_) / count - mean * mean;
    return {static_cast<double>(mean) / kWhite,
            std::sqrt(std::max(0.0, static_cast<double>(variance))) / kWhite};
  }

 private:
  std::uint64_t count_ = 0, sum_ = 0, squares_ = 0;
};

}  // namespace warpfit
