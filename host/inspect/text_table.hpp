// A table as text, for a terminal.
#pragma once

#include <cstdint>
#include <string>
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

  /// The titles, then the rows, two blanks between columns as wide as they need be.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace warpfit
