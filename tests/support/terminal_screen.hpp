// A terminal's screen, as far as the program uses one: text, line feeds, carriage returns, colours, erasing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace warpfit::test {

class TerminalScreen {
 public:
  explicit TerminalScreen(std::size_t columns) : columns_(columns) {}

  /// Output of the program. An unknown escape sequence is put on the screen, where a test sees it.
  void write(std::string_view output);
  /// All lines from the first one on, without spaces at their ends.
  [[nodiscard]] std::vector<std::string> lines() const;
  /// Each text that the cursor's line had when the cursor returned to its start: what a user saw there.
  [[nodiscard]] const std::vector<std::string>& overwritten() const { return overwritten_; }
  void resize(std::size_t columns) { columns_ = columns; }

 private:
  std::size_t control(std::string_view sequence);
  void put(char c);

  std::size_t columns_;
  std::vector<std::string> rows_{""};
  std::size_t row_ = 0, column_ = 0;
  std::vector<std::string> overwritten_;
};

}  // namespace warpfit::test
