// The shapes of a convolution, for messages.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string>

#include "host/backend/operation.hpp"

namespace warpfit {

/// "convolution of 64 x 3x28x28 with 32 windows of 3x3, stride 1, padding 1, dilation 1, groups 1", for a
/// batch of 64 images.
inline std::string describe(const ConvOperation& operation, std::int64_t rows) {
  const auto both = [&](std::int64_t Windows::*member) {
    const auto down = operation.rows.*member, across = operation.columns.*member;
    return down == across ? std::to_string(down) : fmt::format("{}x{}", down, across);
  };
  const auto extra = operation.rows.extra > 0 || operation.columns.extra > 0
                         ? fmt::format(" (plus {} at the end)", both(&Windows::extra))
                         : "";
  return fmt::format(
      "convolution of {} x {}x{}x{} with {} windows of {}x{}, stride {}, padding {}{}, dilation {}, groups "
      "{}",
      rows, operation.in.channels, operation.in.height, operation.in.width, operation.out_channels,
      operation.rows.size, operation.columns.size, both(&Windows::stride), both(&Windows::padding), extra,
      both(&Windows::dilation), operation.groups);
}

}  // namespace warpfit
