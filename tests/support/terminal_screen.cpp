#include "tests/support/terminal_screen.hpp"

#include <algorithm>

namespace warpfit::test {

void TerminalScreen::write(std::string_view output) {
  while (!output.empty()) {
    std::size_t taken = 1;
    if (output.front() == '\r') {
      if (!rows_[row_].empty()) overwritten_.push_back(rows_[row_]);
      column_ = 0;
    } else if (output.front() == '\n') {
      if (++row_ == rows_.size()) rows_.emplace_back();
    } else if (output.starts_with("\x1b[")) {
      taken = control(output);
    } else {
      put(output.front());
    }
    output.remove_prefix(taken);
  }
}

// Handles the CSI sequences for colours and for erasing from the cursor on; puts others on the screen.
std::size_t TerminalScreen::control(std::string_view sequence) {
  constexpr std::size_t kStart = 2;
  const auto end = sequence.find_first_not_of("0123456789;", kStart);
  if (end == sequence.npos) return sequence.size();
  const bool has_parameters = end > kStart;
  if (sequence[end] == 'J' && !has_parameters) {
    rows_.resize(row_ + 1);
    rows_[row_].resize(std::min(column_, rows_[row_].size()));
  } else if (sequence[end] == 'K' && !has_parameters) {
    rows_[row_].resize(std::min(column_, rows_[row_].size()));
  } else if (sequence[end] != 'm') {
    for (const char c : sequence.substr(0, end + 1)) put(c);
  }
  return end + 1;
}

void TerminalScreen::put(char c) {
  if (column_ == columns_) {
    column_ = 0;
    if (++row_ == rows_.size()) rows_.emplace_back();
  }
  auto& row = rows_[row_];
  if (row.size() <= column_) row.resize(column_ + 1, ' ');
  row[column_++] = c;
}

std::vector<std::string> TerminalScreen::lines() const {
  auto lines = rows_;
  for (auto& line : lines) line.resize(line.find_last_not_of(' ') + 1);
  return lines;
}

}  // namespace warpfit::test
