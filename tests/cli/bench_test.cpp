#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/files/json.hpp"
#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;

Outcome bench(std::vector<std::string> more, const std::string& network = "784-16-10") {
  for (const char* each : {"--device", "cpu", "--steps", "3", "--network", network.c_str(), "--quiet"}) {
    more.emplace_back(each);
  }
  more.insert(more.begin(), {"bench", "--data", sample_folder().string()});
  return run_warpfit(more);
}

TEST(Bench, PrintsTablesAndWritesJson) {
  const TemporaryFolder folder;
  const auto file = (folder.path() / "figures.json").string();
  const auto run = bench({"--json", file, "--optimizer", "adam", "--shuffle", "--repeats", "2"});
  ASSERT_EQ(run.exit_code, 0) << run.error;
  EXPECT_EQ(run.error, "");
  EXPECT_THAT(run.out, HasSubstr("784-16-10, adam, batches of 64, shuffled; 2 measurements of 3 steps\n"));
  for (const char* name : {"\nload ", "\nforward ", "\nloss ", "\nbackward ", "\nupdate ", "\nstep ",
                           "\ndata alone ", "\ncompute alone ", "\nboth together ", "\nlarge copies "}) {
    EXPECT_THAT(run.out, HasSubstr(name));
  }
  const auto bytes = read_file(file);
  ASSERT_EQ(std::count(bytes.begin(), bytes.end(), '\n'), 1);
  const auto line = parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size() - 1}, file);
  const auto& object = std::get<Json::Object>(line.value);
  EXPECT_EQ(std::get<std::string>(object.at("optimizer").value), "adam");
  EXPECT_EQ(std::get<Json::Object>(object.at("phases").value).size(), 6U);
  EXPECT_EQ(std::get<Json::Object>(object.at("samples_per_second").value).size(), 3U);
}

// Muon's matrix products are counted as part of the update.
TEST(Bench, MeasuresMuon) {
  const TemporaryFolder folder;
  const auto file = (folder.path() / "figures.json").string();
  ASSERT_EQ(bench({"--json", file, "--optimizer", "muon", "--repeats", "1"}).exit_code, 0);
  const auto bytes = read_file(file);
  const std::string text(bytes.begin(), bytes.end());
  const auto update = text.substr(text.find("\"update\""));
  EXPECT_EQ(update.substr(0, update.find("\"step\"")).find("\"flop\":0,"), std::string::npos) << text;
}

TEST(Bench, NeedsATrainingSetAlone) {
  const auto sample = sample_folder();
  const auto run = run_warpfit({"bench", "--train-images", sample / "train-images-idx3-ubyte.gz",
                                "--train-labels", sample / "train-labels-idx1-ubyte.gz", "--device", "cpu",
                                "--steps", "1", "--repeats", "1", "--network", "784-10"});
  EXPECT_EQ(run.exit_code, 0) << run.error;
}

TEST(Bench, EndsWithTheDocumentedCodeOnMisuse) {
  EXPECT_EQ(bench({"--batch-size", "0"}).exit_code, 2);
  EXPECT_EQ(bench({"--repeats", "0"}).exit_code, 2);
  EXPECT_EQ(bench({"--engine", "fused"}).exit_code, 2);
  EXPECT_EQ(bench({}, "783-10").exit_code, 2);
  EXPECT_EQ(bench({}, "784-9").exit_code, 3);
  EXPECT_EQ(bench({"--json", "/nowhere/figures.json"}).exit_code, 5);
}

}  // namespace
}  // namespace warpfit::test
