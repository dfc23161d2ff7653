#include "host/inspect/drawing.hpp"

#include <algorithm>
#include <string_view>

namespace warpfit {
namespace {

constexpr std::string_view kRamp = " .:-=+*#%@";
constexpr std::int64_t kMaxColumns = 40;  // each has two characters
constexpr std::int64_t kMaxLines = 120;
constexpr std::int64_t kLevels = 256;

}  // namespace

std::string drawing(std::span<const std::uint8_t> pixels, std::int64_t height, std::int64_t width) {
  const auto side = std::max((width - 1) / kMaxColumns, (height - 1) / kMaxLines) + 1;
  const auto square = [&](std::int64_t top, std::int64_t left) {
    const auto bottom = std::min(top + side, height);
    const auto right = std::min(left + side, width);
    std::int64_t sum = 0;
    for (auto y = top; y < bottom; ++y) {
      for (auto x = left; x < right; ++x) sum += pixels[static_cast<std::size_t>(y * width + x)];
    }
    const auto mean = sum / ((bottom - top) * (right - left));
    return kRamp[static_cast<std::size_t>(mean) * kRamp.size() / kLevels];
  };
  std::string text;
  for (std::int64_t y = 0; y < height; y += side) {
    std::string line;
    for (std::int64_t x = 0; x < width; x += side) line.append(2, square(y, x));
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace warpfit
