// The communicator of MPI, in real processes that mpirun starts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "host/base/error.hpp"
#include "tests/support/files.hpp"
#include "tests/support/mpirun.hpp"

namespace warpfit::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class MpiRanks : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { require_mpi(); }
  static Outcome run(int ranks, const std::string& what) {
    return mpirun(on_ranks(ranks, {program_path("mpi_ranks_program"), what}));
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
