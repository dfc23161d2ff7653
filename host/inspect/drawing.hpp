// An image drawn with characters.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace warpfit {

/// Lines of at most 80 characters, without trailing blanks. Each pixel is drawn two characters wide, so that
/// it looks square; if the image is too wide, a square of pixels is drawn as its mean. `pixels` (height,
/// width) range from 0, drawn as a blank, to 255, drawn as "@".
std::string drawing(std::span<const std::uint8_t> pixels, std::int64_t height, std::int64_t width);

}  // namespace warpfit
