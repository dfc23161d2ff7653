// A limit on the device's memory changes where samples are stored, but no bit of the results.
#include <gtest/gtest.h>

#include "host/base/error.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/limited_training.hpp"
#include "tests/support/sanitizers.hpp"

namespace warpfit::test {
namespace {

class MemoryLimit : public OnEachBackend {};

TEST_P(MemoryLimit, ChangesNoBitOfTraining) {
  constexpr std::int64_t kMinLimit = 2 * 16 * 790;  // a batch of each set
  for (const bool shuffle : {false, true}) {
    if (kThreadSanitizer && !shuffle) continue;
    const auto kept = train_limited(*backend_, shuffle, Residency::kResident, std::nullopt);
    ASSERT_EQ(kept.first.size(), 2U * 19);
    for (const std::int64_t limit : {kSampleBytes, kSampleBytes / 4, kMinLimit}) {
      if (kThreadSanitizer && limit != kMinLimit) continue;
      EXPECT_EQ(train_limited(*backend_, shuffle, Residency::kAuto, limit), kept)
          << "limit " << limit << ", shuffle " << shuffle;
    }
  }
}

TEST_P(MemoryLimit, RefusesToKeepMore) {
  EXPECT_THROW(train_limited(*backend_, false, Residency::kResident, kSampleBytes - 1), OutOfMemory);
}

INSTANTIATE_TEST_SUITE_P(Backends, MemoryLimit, testing::ValuesIn(backend_names()), backend_name);

}  // namespace
}  // namespace warpfit::test
