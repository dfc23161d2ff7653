// Long lists in messages.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <ranges>
#include <string>

namespace warpfit {

/// "a, b, c", or "a, b and 7 more" if there are more than `max`.
template <std::ranges::random_access_range Range>
std::string listing(const Range& items, std::size_t max) {
  const std::size_t size = std::ranges::size(items);
  const auto text = fmt::format("{}", fmt::join(items.begin(), items.begin() + std::min(size, max), ", "));
  return size > max ? fmt::format("{} and {} more", text, size - max) : text;
}

}  // namespace warpfit
