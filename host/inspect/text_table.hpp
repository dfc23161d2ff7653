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

  /// As many cells as there are columns, of ASCII.
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  /// The titles, then the rows, a line at a time, two blanks between columns as wide as they need be. A cell
  /// of more than 64 bytes moves the cells after it to the right, in its own row only.
  void print(const std::function<void(std::string_view)>& print) const;
  /// The same lines as one text.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace warpfit
