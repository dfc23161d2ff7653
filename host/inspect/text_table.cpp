#include "host/inspect/text_table.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace warpfit {

void TextTable::print(const std::function<void(std::string_view)>& print) const {
  constexpr std::size_t kMaxWidth = 64;  // otherwise one long cell would widen every row
  std::vector<std::string> titles;
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    titles.push_back(columns_[i].title);
    widths.push_back(titles.back().size());
    for (const auto& row : rows_) widths[i] = std::max(widths[i], std::min(kMaxWidth, row[i].size()));
  }
  const auto print_line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) text += "  ";
      text += columns_[i].align == Align::kRight ? fmt::format("{:>{}}", cells[i], widths[i])
                                                 : fmt::format("{:<{}}", cells[i], widths[i]);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    print(text + '\n');
  };
  print_line(titles);
  for (const auto& row : rows_) print_line(row);
}

std::string TextTable::text() const {
  std::string text;
  print([&text](std::string_view line) { text += line; });
  return text;
}

}  // namespace warpfit
