// A table as text, for a terminal.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace warpfit {

class TextTable {
 public:
  enum class Align : std::uint8_t { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// `row` must have as many cells as there are columns, in ASCII.
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  /// Prints the titles, then the rows, one line at a time, with two blanks between columns. Columns are as
  /// wide as necessary; a cell of more than 64 bytes moves the cells after it to the right, in its row only.
  void print(const std::function<void(std::string_view)>& print) const;
  /// The same lines as one text.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace warpfit
