// Statistics of a data set's pixels.
#pragma once

#include "host/base/pixel_statistics.hpp"
#include "host/stream/dataset.hpp"

namespace warpfit {

/// Over at most 8 MiB of samples spread evenly over the set, for a set may be larger than memory: all of the
/// 10,000 test images of MNIST, each fifth of its training images. Errors: IoError.
PixelStatistics sampled_pixel_statistics(const Dataset& samples);

}  // namespace warpfit
