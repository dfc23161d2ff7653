// The configurations in data/recipes.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace warpfit::test {
namespace {

std::vector<std::string> recipes() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(source_folder() / "data/recipes"))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

TEST(Recipes, TrainAndEvaluate) {
  const TemporaryFolder folder;
  ASSERT_GE(recipes().size(), 5U);
  for (const auto& name : recipes()) {
    const auto model = (folder.path() / name).string();
    const auto trained =
        run_warpfit({"train", "--config", (source_folder() / "data/recipes" / name).string(), "--data",
                     sample_folder().string(), "--device", "cpu", "--epochs", "1", "--save", model});
    EXPECT_EQ(trained.exit_code, 0) << name << ": " << trained.error;
    const auto evaluated = run_warpfit(
        {"eval", model, "--data", sample_folder().string(), "--device", "cpu", "--tta", "flip,shift"});
    EXPECT_EQ(evaluated.exit_code, 0) << name << ": " << evaluated.error;
  }
}

}  // namespace
}  // namespace warpfit::test
