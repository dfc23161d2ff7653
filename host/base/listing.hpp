// Long lists in messages.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace warpfit {

/// "a, b, c", or "a, b and 7 more" if there are more than `max`; `text` converts an item to what is shown.
template <class T, class Text = std::identity>
std::string listing(const std::vector<T>& items, std::size_t max, const Text& text = {}) {
  std::string list;
  for (std::size_t i = 0; i < std::min(items.size(), max); ++i)
    list += fmt::format("{}{}", i > 0 ? ", " : "", text(items[i]));
  return items.size() > max ? fmt::format("{} and {} more", list, items.size() - max) : list;
}

}  // namespace warpfit
