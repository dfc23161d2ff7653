#include <gtest/gtest.h>

#include "host/cli/help.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

TEST(Readme, HoldsTheTableOfFlags) {
  const auto bytes = read_file(source_folder() / "README.md");
  const std::string readme(bytes.begin(), bytes.end());
  EXPECT_NE(readme.find(train_options_markdown()), std::string::npos)
      << "README's table of flags is not what the program has; it should hold\n"
      << train_options_markdown();
}

}  // namespace
}  // namespace warpfit::test
