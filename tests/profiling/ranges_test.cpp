// The nesting of the NVTX ranges that a profiler sees, from a run on the emulated runtime.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace warpfit::test {
namespace {

struct Record {
  std::map<std::string, int> paths;  ///< "epoch/chunk/step" -> number of occurrences
  std::set<std::string> threads, streams;
  bool balanced = true;
};

Record read_record(const std::string& path) {
  Record record;
  std::vector<std::string> open;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string kind, first, name;
    words >> kind >> first >> name;
    if (kind == "thread") record.threads.insert(first);
    if (kind == "stream") record.streams.insert(first);
    if (kind == "push") {
      EXPECT_EQ(first, "warpfit");
      open.push_back(open.empty() ? name : open.back() + "/" + name);
      ++record.paths[open.back()];
    }
    if (kind == "pop" && open.empty()) record.balanced = false;
    if (kind == "pop" && !open.empty()) open.pop_back();
  }
  record.balanced = record.balanced && open.empty();
  return record;
}

Record profile(const std::vector<std::string>& more) {
  const TemporaryFolder folder;
  const auto path = (folder.path() / "record").string();
  setenv("NVTX_INJECTION64_PATH", WARPFIT_NVTX_RECORDER, 1);
  setenv("NVTX_RECORD", path.c_str(), 1);
  std::vector<std::string> arguments{"train", "--device", "cuda", "--data", sample_folder().string()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const auto run = Program(arguments, "warpfit_emulated").finish();
  unsetenv("NVTX_INJECTION64_PATH");
  EXPECT_EQ(run.exit_code, 0) << run.error;
  EXPECT_TRUE(std::filesystem::exists(path)) << "the recorder was not loaded";
  return read_record(path);
}

TEST(ProfileRanges, FormTheDocumentedTree) {
  auto record =
      profile({"--epochs", "2", "--update", "separate", "--engine", "layers", "--network", "784-32-32-10"});
  EXPECT_TRUE(record.balanced);
  EXPECT_EQ(record.paths["epoch"], 2);
  EXPECT_EQ(record.paths["epoch/chunk"], 2);
  EXPECT_EQ(record.paths["epoch/evaluation"], 2);
  // Full batches and the short one each run once before they are recorded; recording calls the step again.
  EXPECT_EQ(record.paths["epoch/chunk/step"], 2);
  for (const char* phase : {"upload", "forward", "loss", "update"}) {
    EXPECT_EQ(record.paths[std::string("epoch/chunk/step/") + phase], 2) << phase;
  }
  EXPECT_EQ(record.paths["epoch/chunk/step/backward"], 2);
  EXPECT_GT(record.paths["epoch/chunk/recording/step/forward"], 0);
  EXPECT_GT(record.paths["epoch/evaluation/step/loss"], 0);
  EXPECT_EQ(record.paths["epoch/evaluation/step/backward"], 0);
}

TEST(ProfileRanges, ShowTheFusedEnginesLaunches) {
  auto record = profile({"--epochs", "2", "--network", "784-8-10", "--engine", "fused"});
  EXPECT_TRUE(record.balanced);
  // In each of the two epochs: the first batch, whose loss is printed; the other full batches, in one launch
  // to one launch per batch, depending on the measured speed of the device; the short batch.
  EXPECT_GE(record.paths["epoch/chunk/fused"], 2 * 3);
  EXPECT_LE(record.paths["epoch/chunk/fused"], 2 * 5);
  EXPECT_EQ(record.paths["epoch/evaluation/fused"], 4);
  EXPECT_EQ(record.paths["epoch/chunk/step"], 0);
}

TEST(ProfileRanges, NameThreadsAndStreams) {
  const auto record = profile({"--epochs", "1", "--engine", "layers", "--network", "784-32-10"});
  EXPECT_EQ(record.threads, (std::set<std::string>{"trainer", "reader"}));
  EXPECT_EQ(record.streams, (std::set<std::string>{"compute", "copy", "update"}));
}

}  // namespace
}  // namespace warpfit::test
