// Checks the environment that tests/CMakeLists.txt sets for the tests.
#include <gtest/gtest.h>

#include "host/cpu/openmp.hpp"
#include "tests/support/sanitizers.hpp"

namespace warpfit::test {
namespace {

TEST(Environment, KeepsOpenMpToOneThreadUnderThreadSanitizer) {
  if (!kThreadSanitizer) GTEST_SKIP() << "built without ThreadSanitizer";
  EXPECT_EQ(omp_get_thread_limit(), 1) << "libgomp's barriers look like races: run the tests with ctest";
}

}  // namespace
}  // namespace warpfit::test
