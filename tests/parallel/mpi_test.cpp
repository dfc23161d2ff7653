// The communicator of MPI, in real processes that mpirun starts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "host/base/error.hpp"
#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace warpfit::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

#ifdef WARPFIT_MPIRUN
constexpr const char* kMpirun = WARPFIT_MPIRUN;
#else
constexpr const char* kMpirun = "";
#endif

class MpiRanks : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    if (*kMpirun != '\0') return;
    if (std::getenv("CI") != nullptr) FAIL() << "continuous integration needs MPI: tools/setup --tests";
    GTEST_SKIP() << "this build has no MPI";
  }
  static Outcome run(int ranks, const std::string& what) {
    return Program({"--oversubscribe", "-n", std::to_string(ranks), program_path("mpi_ranks_program"), what},
                   kMpirun, {"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"})
        .finish();
  }
};

TEST_P(MpiRanks, AgreeWithLoops) {
  const auto run = MpiRanks::run(GetParam(), "collectives");
  EXPECT_EQ(run.exit_code, 0) << run.error;
  EXPECT_THAT(run.out, HasSubstr(std::to_string(GetParam()) + " ranks: MPI ("));
}

INSTANTIATE_TEST_SUITE_P(Ranks, MpiRanks, testing::Range(1, 5), testing::PrintToStringParamName());

class MpiEnd : public MpiRanks {};

TEST_P(MpiEnd, HasTheExitCodeOfTheRankThatEndsTheOthers) {
  const auto run = MpiRanks::run(GetParam(), "end");
  EXPECT_EQ(run.exit_code, static_cast<int>(ExitCode::kDevice)) << run.error;
}

TEST_P(MpiEnd, DoesNotWaitForARankThatThrows) {
  const auto run = MpiRanks::run(GetParam(), "throw");
  EXPECT_EQ(run.exit_code, static_cast<int>(ExitCode::kBadData)) << run.error;
  EXPECT_LT(run.seconds, 30);
}

TEST_P(MpiEnd, ExplainsThatTheLibraryIsMissing) {
  const TemporaryFolder folder;
  const auto program = folder.path() / "elsewhere";
  std::filesystem::copy_file(program_path("mpi_ranks_program"), program);
  const auto run = Program({"collectives"}, program).finish();
  EXPECT_EQ(run.exit_code, static_cast<int>(ExitCode::kRankLost));
  EXPECT_THAT(run.error, AllOf(HasSubstr("libwarpfit_mpi.so"), HasSubstr("-DWARPFIT_MPI=ON")));
}

INSTANTIATE_TEST_SUITE_P(Ranks, MpiEnd, testing::Values(3), testing::PrintToStringParamName());

}  // namespace
}  // namespace warpfit::test
