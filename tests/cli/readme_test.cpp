#include <gtest/gtest.h>

#include "host/cli/help.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

TEST(Readme, HoldsTheTableOfFlags) {
  TrainCommand defaults;
  const auto table = options_markdown(options_of(defaults));
  const auto bytes = read_file(source_folder() / "README.md");
  const std::string readme(bytes.begin(), bytes.end());
  EXPECT_NE(readme.find(table), std::string::npos)
      << "README's table of flags is not what the program has; it should hold\n"
      << table;
}

}  // namespace
}  // namespace warpfit::test
