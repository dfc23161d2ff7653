// A disk that is full or fails at any call of a run on its folder (tests/files/failing_calls.cpp): the run
// ends with exit code 5, names the file and loses nothing that was saved; if resumed, it gives the result of
// an undisturbed run. For each kind of call and file, one call and one way to fail are chosen at random;
// writes fail in every way. WARPFIT_ALL_CALLS=1 tests every call in every way, which takes minutes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <regex>
#include <sstream>
#include <tuple>

#include "tests/support/files.hpp"
#include "tests/support/program.hpp"
#include "tests/support/random.hpp"

namespace warpfit::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

constexpr std::size_t kKept = 3;  // checkpoints

struct Call {
  std::size_t number = 0;
  std::string name;
  fs::path path;

  [[nodiscard]] bool is_write() const { return name == "write" || name == "pwrite"; }
  [[nodiscard]] bool is_look() const {
    constexpr std::array kLooks{"fstatat", "fstat", "pread", "readdir", "flock"};
    return std::ranges::find(kLooks, name) != kLooks.end();
  }
  [[nodiscard]] bool may_be_interrupted() const {
    constexpr std::array kSlow{"open",  "openat",    "write",     "pread",
                               "fsync", "fdatasync", "ftruncate", "flock"};
    return std::ranges::find(kSlow, name) != kSlow.end();
  }
  [[nodiscard]] std::vector<std::string> failures() const {
    if (is_look()) return {"EIO"};
    if (is_write()) return {"ENOSPC", "EIO", "short"};
    return {"ENOSPC", "EIO"};
  }
};

struct Failure {
  Call call;
  std::string how;
};

using Arguments = std::vector<std::string>;

class FailingCalls : public testing::Test {
 protected:
  [[nodiscard]] fs::path folder(const std::string& name) const { return parent_.path() / name; }

  // A run with ten checkpoints and a short last batch in each epoch.
  [[nodiscard]] Arguments train(const fs::path& folder, const std::string& network = "784-4-10") const {
    std::istringstream words(
        "--batch-size 50 --epochs 4 --shuffle --dropout 0.2 --validation-split 0.2 --optimizer adam "
        "--schedule cosine --log-every 3 --checkpoint-every 2 --device cpu --threads 1 --quiet");
    Arguments all{"train",     "--data", sample_folder().string(), "--run-dir", folder.string(),
                  "--network", network};
    for (std::string word; words >> word;) all.push_back(word);
    return all;
  }
  [[nodiscard]] static Arguments resume(const fs::path& folder) {
    return {"resume", folder.string(), "--quiet"};
  }

  [[nodiscard]] static Outcome run(const Arguments& arguments, const fs::path& folder,
                                   std::vector<std::string> environment = {}) {
    environment.emplace_back("LD_PRELOAD=" WARPFIT_FAILING_CALLS);
    environment.push_back("WARPFIT_FAIL_IN=" + folder.string());
    return run_warpfit(arguments, environment);
  }
  [[nodiscard]] static Outcome run(const Arguments& arguments, const fs::path& folder,
                                   const Failure& failure) {
    return run(
        arguments, folder,
        {"WARPFIT_FAIL_AT=" + std::to_string(failure.call.number), "WARPFIT_FAIL_WITH=" + failure.how});
  }

  /// The calls of a run without failures, in order.
  [[nodiscard]] std::vector<Call> calls_of(const Arguments& arguments, const fs::path& folder,
                                           int exit_code = 0) const {
    const auto record = parent_.path() / "calls";
    const auto outcome = run(arguments, folder, {"WARPFIT_CALLS=" + record.string()});
    EXPECT_EQ(outcome.exit_code, exit_code) << outcome.error;
    const auto bytes = read_file(record);
    std::istringstream lines(std::string(bytes.begin(), bytes.end()));
    std::vector<Call> calls;
    for (std::string name, path; std::getline(lines >> name >> std::ws, path);) {
      calls.push_back({calls.size() + 1, name, path});
    }
    return calls;
  }

  static std::vector<Failure> drawn_from(const std::vector<Call>& calls, bool interrupted = false) {
    const bool all = std::getenv("WARPFIT_ALL_CALLS") != nullptr;
    std::map<std::string, std::vector<Call>> kinds;
    for (const auto& call : calls) {
      const auto kind = std::regex_replace(call.name + call.path.string(), std::regex(R"(\d)"), "");
      kinds[all ? std::to_string(call.number) : kind].push_back(call);
    }
    std::mt19937 engine(test_seed());
    std::vector<Failure> drawn;
    for (const auto& [kind, same] : kinds) {
      const auto& call = same[engine() % same.size()];
      if (interrupted) {
        if (call.may_be_interrupted()) drawn.push_back({call, "EINTR"});
        if (call.is_write() || call.name == "pread") drawn.push_back({call, "half"});
        continue;
      }
      auto ways = call.failures();
      if (!all && !call.is_write()) ways = {ways[engine() % ways.size()]};
      for (const auto& how : ways) drawn.push_back({call, how});
    }
    return drawn;
  }

  /// The run ended by itself because of the failed call: it printed a message and left no incomplete file.
  static void expect_said(const Outcome& outcome, const fs::path& folder) {
    EXPECT_EQ(outcome.exit_code, 5) << outcome.error;
    EXPECT_THAT(outcome.error, HasSubstr(folder.string()));
    if (!fs::exists(folder)) return;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      EXPECT_NE(entry.path().extension(), ".tmp") << entry.path();
    }
  }

  static bool saves_checkpoint(const Call& call) {
    return call.name == "renameat" && call.path.parent_path().filename() == "checkpoints";
  }

  /// The newest three checkpoints that were complete before the call still exist.
  static void expect_checkpoints(const fs::path& folder, const std::vector<Call>& calls, const Call& at) {
    std::vector<fs::path> saved;
    for (const auto& call : calls) {
      if (call.number < at.number && saves_checkpoint(call))
        saved.push_back(folder / "checkpoints" / call.path.filename());
    }
    for (std::size_t i = saved.size() - std::min(saved.size(), kKept); i < saved.size(); ++i) {
      EXPECT_TRUE(fs::exists(saved[i])) << saved[i];
    }
  }

  /// A folder of a run with four of its checkpoints; `calls` are the calls of the complete run.
  [[nodiscard]] fs::path halfway(std::vector<Call> calls) const {
    std::erase_if(calls, [](const Call& call) { return !saves_checkpoint(call); });
    const auto target = folder("halfway");
    expect_said(run(train(target), target, {calls.at(4), "EIO"}), target);
    return target;
  }

  static std::string rows(const fs::path& file, const std::string& times, const std::string& instead) {
    const auto bytes = read_file(file);
    return std::regex_replace(std::string(bytes.begin(), bytes.end()), std::regex(times), instead);
  }

  static void expect_same(const fs::path& one, const fs::path& other) {
    for (const char* name : {"model.safetensors", "best.safetensors"}) {
      EXPECT_EQ(read_file(one / name), read_file(other / name)) << name;
    }
    for (const auto& [name, times, instead] : {std::tuple("metrics.jsonl", R"(,"seconds".*\})", "}"),
                                               std::tuple("metrics.csv", R"((,[^,\n]*){3}\n)", "\n")}) {
      EXPECT_EQ(rows(one / name, times, instead), rows(other / name, times, instead)) << name;
    }
  }

  static void expect_ends_as(const fs::path& whole, const fs::path& folder, const Arguments& arguments) {
    const auto outcome = run(arguments, folder);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
    EXPECT_THAT(outcome.error, Not(HasSubstr("skipped")));
    expect_same(whole, folder);
  }

  static std::string shown(const Failure& failure) {
    return "call " + std::to_string(failure.call.number) + ", " + failure.call.name + " " +
           failure.call.path.string() + ": " + failure.how;
  }

  TemporaryFolder parent_;
};

TEST_F(FailingCalls, LoseNothingOfANewRun) {
  const auto whole = folder("whole");
  const auto calls = calls_of(train(whole), whole);
  for (const char* name : {"mkdir", "mkdirat", "open", "openat", "write", "fsync", "renameat", "unlinkat",
                           "fstatat", "fdatasync", "ftruncate"}) {
    EXPECT_THAT(calls, testing::Contains(testing::Field(&Call::name, name))) << "not seen by the library";
  }
  for (const auto& failure : drawn_from(calls)) {
    SCOPED_TRACE(shown(failure));
    const auto target = folder("run");
    expect_said(run(train(target), target, failure), target);
    expect_checkpoints(target, calls, failure.call);
    expect_ends_as(whole, target, fs::exists(target / "config.toml") ? resume(target) : train(target));
    fs::remove_all(target);
  }
}

// A signal that does not end the program can interrupt any slow call, before or after it has transferred some
// bytes: the call is repeated.
TEST_F(FailingCalls, AreRepeatedIfASignalInterruptsThem) {
  const auto whole = folder("whole");
  const auto target = folder("run");
  const auto expect_ends = [&](const Arguments& arguments, const Failure& failure) {
    SCOPED_TRACE(shown(failure));
    EXPECT_EQ(run(arguments, target, failure).exit_code, 0);
    expect_same(whole, target);
    fs::remove_all(target);
  };
  const auto calls = calls_of(train(whole), whole);
  for (const auto& failure : drawn_from(calls, true)) expect_ends(train(target), failure);
  const auto start = halfway(calls);
  fs::copy(start, target, fs::copy_options::recursive);
  for (const auto& failure : drawn_from(calls_of(resume(target), target), true)) {
    fs::remove_all(target);
    fs::copy(start, target, fs::copy_options::recursive);
    expect_ends(resume(target), failure);
  }
}

// What survives a power failure depends on the order of calls: a file is flushed before it is renamed, its
// folder after that, and rows of metrics before the checkpoint that refers to them.
TEST_F(FailingCalls, AreInTheOrderThatSurvivesAPowerCut) {
  const auto whole = folder("whole");
  const auto calls = calls_of(train(whole), whole);
  std::map<fs::path, std::size_t> written, flushed;  // the number of the last such call
  std::size_t renamed = 0;
  for (const auto& call : calls) {
    if (call.is_write()) written[call.path] = call.number;
    if (call.name == "fsync" || call.name == "fdatasync") flushed[call.path] = call.number;
    if (call.name != "renameat") continue;
    SCOPED_TRACE(call.path);
    ++renamed;
    // The temporary file is the one written last, because nothing else is written in between.
    const auto last = std::ranges::max_element(written, {}, [](const auto& entry) { return entry.second; });
    EXPECT_THAT(last->first.filename().string(), HasSubstr(call.path.filename().string()));
    EXPECT_GT(flushed[last->first], last->second);
    const auto following =
        std::ranges::find_if(calls.begin() + static_cast<std::ptrdiff_t>(call.number), calls.end(),
                             [](const Call& next) { return next.name != "fstatat"; });
    ASSERT_NE(following, calls.end());
    EXPECT_EQ(following->name, "fsync");
    EXPECT_EQ(following->path, call.path.parent_path());
    if (!saves_checkpoint(call)) continue;
    for (const char* rows : {"metrics.jsonl", "metrics.csv"}) {
      EXPECT_GE(flushed[whole / rows], written[whole / rows]) << rows;
    }
  }
  EXPECT_GT(renamed, 10U);
  // The names of the metrics files before the first checkpoint.
  const auto first = std::ranges::find_if(calls, saves_checkpoint);
  const auto opened = std::ranges::find_if(
      calls, [&](const Call& call) { return call.name == "openat" && call.path == whole / "metrics.csv"; });
  ASSERT_LT(opened, first);
  EXPECT_TRUE(std::any_of(opened, first,
                          [&](const Call& call) { return call.name == "fsync" && call.path == whole; }));
}

TEST_F(FailingCalls, LoseNothingOfAResumedRun) {
  const auto whole = folder("whole");
  const auto start = halfway(calls_of(train(whole), whole));
  const auto target = folder("run");
  fs::copy(start, target, fs::copy_options::recursive);
  for (const auto& failure : drawn_from(calls_of(resume(target), target))) {
    SCOPED_TRACE(shown(failure));
    fs::remove_all(target);
    fs::copy(start, target, fs::copy_options::recursive);
    expect_said(run(resume(target), target, failure), target);
    expect_ends_as(whole, target, resume(target));
  }
}

// If it cannot be determined whether the folder contains a run, a new run must not start in it.
TEST_F(FailingCalls, DoNotLetANewRunOverwriteAnother) {
  const auto whole = folder("whole");
  ASSERT_EQ(run(train(whole), whole).exit_code, 0);
  const auto target = folder("run");
  fs::copy(whole, target, fs::copy_options::recursive);
  const auto other = train(target, "784-5-10");
  constexpr int kThereIsARun = 2;
  for (const auto& failure : drawn_from(calls_of(other, target, kThereIsARun))) {
    SCOPED_TRACE(shown(failure));
    expect_said(run(other, target, failure), target);
    expect_same(whole, target);
  }
}

}  // namespace
}  // namespace warpfit::test
