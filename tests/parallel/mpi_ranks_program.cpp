// Runs as ranks of MPI, started by mpirun:
//
//   mpi_ranks_program collectives   the checks of all communicators, and as warpfit does it, with
//   find_launch() mpi_ranks_program end           the last rank ends the others, which wait mpi_ranks_program
//   throw         the last rank throws an exception while the others wait mpi_ranks_program time milliseconds
//   of the start and of a sum of 23 MB
//
// Exit code: that of the error.
#include <fmt/core.h>

#include <chrono>
#include <exception>
#include <string_view>

#include "host/parallel/launch.hpp"
#include "host/parallel/mpi_library.hpp"
#include "tests/parallel/collective_checks.hpp"

namespace {

using namespace warpfit;
using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

void check(Communicator& ranks) {
  test::check_collectives(ranks);
  const auto launch = find_launch(ParallelMode::kMpi);
  if (launch.rank != ranks.rank() || launch.size != ranks.size() || launch.local_rank != ranks.rank()) {
    throw InternalError("find_launch() differs from MPI");
  }
  if (ranks.rank() == 0) fmt::print("{} ranks: {}\n", ranks.size(), ranks.description());
}

void measure(Communicator& ranks, double start) {
  std::vector<float> values(5'750'000, 1);
  ranks.sum(values, SumOrder::kFastest);
  for (const auto order : {SumOrder::kFastest, SumOrder::kTree}) {
    const auto begin = Clock::now();
    for (int i = 0; i < 10; ++i) ranks.sum(values, order);
    const auto each = milliseconds_since(begin) / 10;
    if (ranks.rank() == 0) fmt::print("start {:.1f} ms, sum of 23 MB {:.2f} ms\n", start, each);
  }
}

void run(std::string_view what) {
  const auto start = Clock::now();
  const auto ranks = make_mpi_ranks();
  const auto started = milliseconds_since(start);
  if (what == "time") return measure(*ranks, started);
  if (what == "collectives") return check(*ranks);
  if (ranks->rank() == ranks->size() - 1) {
    if (what == "end") ranks->end_others(ExitCode::kDevice);
    throw DataError("the last rank has thrown an exception");
  }
  std::vector<float> values(10);
  ranks->sum(values, SumOrder::kFastest);
}

}  // namespace

int main(int, char** argv) {
  try {
    run(argv[1]);
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
