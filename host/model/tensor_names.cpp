#include "host/model/tensor_names.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace warpfit {
namespace {

constexpr std::string_view kModel = "model.";
constexpr std::array<std::string_view, 3> kWrappers{"module.", "_orig_mod.", kModel};

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

}  // namespace

bool natural_less(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (!is_digit(a.front()) || !is_digit(b.front())) {
      if (a.front() != b.front()) return a.front() < b.front();
      a.remove_prefix(1);
      b.remove_prefix(1);
      continue;
    }
    const auto digits = [](std::string_view text) {
      return text.substr(0,
                         static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin()));
    };
    const auto left = digits(a);
    const auto right = digits(b);
    if (left.size() != right.size()) return left.size() < right.size();
    if (left != right) return left < right;
    a.remove_prefix(left.size());
    b.remove_prefix(right.size());
  }
  return a.size() < b.size();
}

std::vector<std::string_view> unwrapped_names(std::string_view name) {
  std::vector<std::string_view> names{name};
  const auto begins = [&](std::string_view wrapper) { return names.back().starts_with(wrapper); };
  for (auto found = std::ranges::find_if(kWrappers, begins); found != kWrappers.end();
       found = std::ranges::find_if(kWrappers, begins)) {
    names.push_back(names.back().substr(found->size()));
  }
  return names;
}

std::string_view without_wrappers(std::string_view name) {
  const auto names = unwrapped_names(name);
  const auto rest = names.back();
  const bool is_number = !rest.empty() && is_digit(rest.front());
  const bool is_attribute = is_number && names.size() > 1 && names[names.size() - 2].starts_with(kModel);
  return is_attribute ? names[names.size() - 2] : rest;
}

}  // namespace warpfit
