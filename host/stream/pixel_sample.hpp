// Statistics of a data set's pixels.
#pragma once

#include "host/base/pixel_statistics.hpp"
#include "host/stream/dataset.hpp"

namespace warpfit {

/// Uses at most 8 MiB of samples spread evenly over the set, since a set may be larger than memory: all of
/// the 10,000 test images of MNIST, or every fifth of its training images. Errors: IoError.
PixelStatistics sampled_pixel_statistics(const Dataset& samples);

}  // namespace warpfit
