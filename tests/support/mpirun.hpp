// Programs that mpirun starts.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "tests/support/program.hpp"

namespace warpfit::test {

#ifdef WARPFIT_MPIRUN
constexpr const char* kMpirun = WARPFIT_MPIRUN;
#else
constexpr const char* kMpirun = "";
#endif

/// For SetUp(): skips the test in builds without MPI, or fails in continuous integration.
inline void require_mpi() {
  if (*kMpirun != '\0') return;
  if (std::getenv("CI") != nullptr) FAIL() << "continuous integration needs MPI: tools/setup --tests";
  GTEST_SKIP() << "this build has no MPI";
}

/// Arguments of mpirun; so many ranks, even if they are more than the machine has cores.
inline std::vector<std::string> on_ranks(int ranks, const std::vector<std::string>& command) {
  std::vector<std::string> arguments{"--oversubscribe", "-n", std::to_string(ranks)};
  arguments.insert(arguments.end(), command.begin(), command.end());
  return arguments;
}

/// mpirun allows root only if it is told so.
inline std::vector<std::string> mpirun_environment() {
  return {"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"};
}

/// Runs mpirun with these arguments.
inline Outcome mpirun(const std::vector<std::string>& arguments) {
  return Program(arguments, kMpirun, mpirun_environment()).finish();
}

}  // namespace warpfit::test
