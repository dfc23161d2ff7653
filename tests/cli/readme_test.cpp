#include <gtest/gtest.h>

#include <string>

#include "host/cli/help.hpp"
#include "host/cli/parse.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

template <class Asked>
void expect_table(const std::string& readme) {
  Asked defaults;
  const auto options = options_of(defaults);
  if (options.empty()) return;
  const auto table = options_markdown(options);
  EXPECT_NE(readme.find(table), std::string::npos)
      << "README's table of warpfit " << Asked::kText.name << " is not what the program has; it should hold\n"
      << table;
}

template <std::size_t... kIndex>
void expect_tables(const std::string& readme, std::index_sequence<kIndex...>) {
  (expect_table<std::variant_alternative_t<kIndex + 1, Command>>(readme), ...);  // behind ShowText
}

TEST(Readme, HoldsTheTableOfFlagsOfEveryCommand) {
  const auto bytes = read_file(source_folder() / "README.md");
  expect_tables({bytes.begin(), bytes.end()}, std::make_index_sequence<std::variant_size_v<Command> - 1>());
}

}  // namespace
}  // namespace warpfit::test
