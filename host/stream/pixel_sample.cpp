#include "host/stream/pixel_sample.hpp"

#include <algorithm>
#include <vector>

namespace warpfit {

PixelStatistics sampled_pixel_statistics(const Dataset& samples) {
  constexpr std::int64_t kMaxBytes = 8 << 20, kPieceBytes = 1 << 18;
  const auto size = samples.sample_size();
  const auto wanted = std::clamp<std::int64_t>(kMaxBytes / size, 1, samples.size());
  const auto rows = std::clamp<std::int64_t>(kPieceBytes / size, 1, wanted);
  std::vector<std::uint32_t> indices;
  std::vector<std::uint8_t> pixels;
  std::vector<Label> labels;
  PixelSums sums;
  for (std::int64_t first = 0; first < wanted; first += rows) {
    indices.clear();
    for (auto i = first; i < std::min(first + rows, wanted); ++i)
      indices.push_back(static_cast<std::uint32_t>(i * samples.size() / wanted));
    pixels.resize(indices.size() * static_cast<std::size_t>(size));
    labels.resize(indices.size());
    samples.gather(indices, pixels, labels);
    sums.add(pixels);
  }
  return sums.statistics();
}

}  // namespace warpfit
