// An image in characters.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace warpfit {

/// Lines of at most 80 characters, without blanks at their ends. A pixel is two characters wide, for it to
/// look square; where there is no room, that is the mean of a square of pixels. `pixels` (height, width) go
/// from 0, a blank, to 255, "@".
std::string drawing(std::span<const std::uint8_t> pixels, std::int64_t height, std::int64_t width);

}  // namespace warpfit
