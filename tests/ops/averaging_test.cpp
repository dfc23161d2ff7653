#include "host/backend/averaging.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/backends.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/files.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {
namespace {

using Averaging = OnEachBackend;

TEST_P(Averaging, IsPyTorchs) {
  std::ifstream file(source_folder() / "tests/goldens/averages/pytorch_2.15.jsonl");
  int averages = 0;
  for (std::string line; std::getline(file, line); ++averages) {
    const auto golden = nlohmann::json::parse(line);
    const double decay = golden["decay"];
    SCOPED_TRACE(decay);
    const auto models = golden["models"].get<std::vector<std::vector<float>>>();
    Buffer<float> parameters(*backend_, models[0].size());
    const GuardedFloats average(*backend_, static_cast<std::int64_t>(models[0].size()));
    const Buffer<AverageProgress> progress(*backend_, std::vector<AverageProgress>(1));
    const auto step = backend_->record(
        [&] { backend_->average(decay, parameters.view(), average.vector(), progress.data()); });
    for (std::size_t i = 0; i < models.size(); ++i) {
      parameters.upload(models[i]);
      step->run(one_batch(1));
      EXPECT_TRUE(all_close(average.values(), golden["averages"][i].get<Doubles>(), {1e-7, 3e-7}));
    }
    EXPECT_EQ(progress.to_host().front().models, static_cast<std::int64_t>(models.size()));
  }
  EXPECT_EQ(averages, 5);
}

TEST_P(Averaging, TakesTheFirstAsItIsAndTheSecondByHalfAtEverySize) {
  for (const std::int64_t size : {1, 7, 255, 256, 257, 20'001, 1'200'003}) {
    SCOPED_TRACE(testing::Message() << size << " parameters");
    TestValues values;
    const auto first = values.uniform(size);
    const auto second = values.uniform(size);
    Buffer<float> parameters(*backend_, first);
    const GuardedFloats average(*backend_, values.uniform(size));
    const Buffer<AverageProgress> progress(*backend_, std::vector<AverageProgress>(1));
    const auto step =
        backend_->record([&] { backend_->average(0, parameters.view(), average.vector(), progress.data()); });
    step->run(one_batch(1));
    EXPECT_EQ(average.values(), first);
    parameters.upload(second);
    step->run(one_batch(1));
    Doubles expected;
    for (std::size_t i = 0; i < first.size(); ++i) expected.push_back((double{first[i]} + second[i]) / 2);
    EXPECT_TRUE(all_close(average.values(), expected, {1e-6, 1e-6}));
  }
}

TEST_P(Averaging, SwapsAtEverySize) {
  for (const std::int64_t size : {1, 7, 256, 257, 20'001, 1'200'003}) {
    SCOPED_TRACE(testing::Message() << size << " values");
    TestValues values;
    const auto first = values.uniform(size);
    const auto second = values.uniform(size);
    const GuardedFloats a(*backend_, first);
    const GuardedFloats b(*backend_, second);
    run_once(
        *backend_, [&] { backend_->swap(a.vector(), b.vector()); }, one_batch(1));
    EXPECT_EQ(a.values(), second);
    EXPECT_EQ(b.values(), first);
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, Averaging, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
