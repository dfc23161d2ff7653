// The documentation must agree with the program, and its links must lead to existing files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "host/cli/help.hpp"
#include "host/cli/parse.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  const auto bytes = read_file(path);
  return {bytes.begin(), bytes.end()};
}

template <class Asked>
void expect_table(const std::string& page) {
  Asked defaults;
  const auto options = options_of(defaults);
  if (options.empty()) return;
  const auto table = options_markdown(options);
  EXPECT_NE(page.find(table), std::string::npos)
      << "the table of warpfit " << Asked::kText.name << " is not what the program has; it should hold\n"
      << table;
}

template <std::size_t... kIndex>
void expect_tables(const std::string& page, std::index_sequence<kIndex...>) {
  (expect_table<std::variant_alternative_t<kIndex + 1, Command>>(page), ...);  // after ShowText
}

TEST(Documentation, HasTheOptionsOfEveryCommand) {
  expect_tables(text_of(source_folder() / "host/cli/FLAGS.md"),
                std::make_index_sequence<std::variant_size_v<Command> - 1>());
}

// The documentation of the project, without pages that are built or installed in its folder.
std::vector<fs::path> pages() {
  std::vector<fs::path> found{source_folder() / "README.md", source_folder() / "CHANGELOG.md"};
  for (const char* folder : {"cuda", "data", "host", "tests", "tools"}) {
    for (const auto& entry : fs::recursive_directory_iterator(source_folder() / folder)) {
      if (entry.path().extension() == ".md") found.push_back(entry.path());
    }
  }
  return found;
}

// The files that a page links to.
std::vector<fs::path> links_of(const fs::path& page) {
  static const std::regex link(R"(\]\(([^)#]+)[^)]*\))");
  const auto text = text_of(page);
  std::vector<fs::path> found;
  for (auto each = std::sregex_iterator(text.begin(), text.end(), link); each != std::sregex_iterator();
       ++each) {
    const auto target = (*each)[1].str();
    if (target.find("://") == std::string::npos)
      found.push_back((page.parent_path() / target).lexically_normal());
  }
  return found;
}

TEST(Documentation, LinksToWhatIsThere) {
  std::size_t links = 0;
  for (const auto& page : pages()) {
    for (const auto& target : links_of(page)) {
      EXPECT_TRUE(fs::exists(target)) << page << " links to " << target;
      ++links;
    }
  }
  EXPECT_GT(links, 20U);
}

// Directly or over other pages; results of benchmarks are linked from the page that reports them.
TEST(Documentation, IsReachedFromReadme) {
  std::vector<fs::path> reached{source_folder() / "README.md"};
  for (std::size_t i = 0; i < reached.size(); ++i) {
    if (reached[i].extension() != ".md") continue;
    for (const auto& target : links_of(reached[i])) {
      if (std::ranges::find(reached, target) == reached.end()) reached.push_back(target);
    }
  }
  for (const auto& page : pages()) EXPECT_THAT(reached, testing::Contains(page));
}

TEST(Documentation, HasAShortReadme) {
  const auto text = text_of(source_folder() / "README.md");
  EXPECT_LE(std::ranges::count(text, '\n'), 180);
}

}  // namespace
}  // namespace warpfit::test
