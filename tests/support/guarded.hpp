// Test buffers in a backend's memory with guard bands that detect out-of-bounds writes.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "host/backend/buffer.hpp"

namespace warpfit::test {

/// Floats between two guard bands. Everything is initialized to NaN, so that elements which an operation
/// fails to write, or wrongly reads, show up in the result. Views begin `skew` floats after an aligned
/// address.
class GuardedFloats {
 public:
  GuardedFloats(Backend& backend, std::int64_t size, std::size_t skew = 0)
      : size_(static_cast<std::size_t>(size)),
        start_(kGuard + skew),
        memory_(backend, size_ + start_ + kGuard) {
    memory_.upload(std::vector<float>(memory_.size(), kNan));
  }
  GuardedFloats(Backend& backend, std::span<const float> values, std::size_t skew = 0)
      : GuardedFloats(backend, static_cast<std::int64_t>(values.size()), skew) {
    auto all = memory_.to_host();
    std::copy(values.begin(), values.end(), all.begin() + static_cast<std::ptrdiff_t>(start_));
    memory_.upload(all);
  }

  [[nodiscard]] Vector vector() const { return memory_.view().subspan(start_, size_); }
  [[nodiscard]] Matrix matrix(std::int64_t rows, std::int64_t cols) const {
    return {vector().data(), rows, cols};
  }

  /// Returns the values; fails the test if a guard band was overwritten.
  [[nodiscard]] std::vector<float> values() const {
    const auto all = memory_.to_host();
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(start_);
    const auto last = first + static_cast<std::ptrdiff_t>(size_);
    const auto is_nan = [](float value) { return std::isnan(value); };
    EXPECT_TRUE(std::all_of(all.begin(), first, is_nan)) << "written before the buffer";
    EXPECT_TRUE(std::all_of(last, all.end(), is_nan)) << "written past the buffer";
    return {first, last};
  }

 private:
  static constexpr std::size_t kGuard = 64;
  static constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

  std::size_t size_;
  std::size_t start_;
  Buffer<float> memory_;
};

}  // namespace warpfit::test
