#include "host/parallel/launch.hpp"

#include <fmt/core.h>

#include <cstdlib>
#include <optional>
#include <utility>

#include "host/base/parse_number.hpp"
#include "host/parallel/handshake.hpp"
#include "host/parallel/mpi_library.hpp"
#include "host/parallel/tcp_ranks.hpp"

namespace warpfit {
namespace {

constexpr int kMaxRanks = 65536;
constexpr int kMaxPort = 65535;

// The variables of a launcher.
struct Names {
  const char *rank, *size, *local_rank, *local_size;
};

constexpr Names kOpenMpi{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK",
                         "OMPI_COMM_WORLD_LOCAL_SIZE"};
constexpr Names kPmi{"PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"};
constexpr Names kTorchrun{"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"};

class Environment {
 public:
  explicit Environment(const Lookup& lookup) : lookup_(lookup) {}

  // An empty variable counts as unset.
  [[nodiscard]] std::string text(const char* name) const {
    const char* value = lookup_(name);
    return value != nullptr ? value : "";
  }
  [[nodiscard]] bool has(const char* name) const { return !text(name).empty(); }

  [[nodiscard]] int number(const char* name, int least, int most) const {
    const auto value = text(name);
    if (value.empty()) {
      throw UsageError(
          fmt::format("the environment variable {} is not set, although others of the launcher are"
                      " (to train in one process in any case: --parallel none)",
                      name));
    }
    const auto number = parse_number<int>(value);
    if (!number || *number < least || *number > most) {
      throw UsageError(fmt::format("the environment variable {}={} is not an integer from {} to {}", name,
                                   value, least, most));
    }
    return *number;
  }
  [[nodiscard]] int number_or_unknown(const char* name, int least, int most) const {
    return has(name) ? number(name, least, most) : -1;
  }

  [[nodiscard]] Launch ranks(const Names& names, Launch::Kind kind) const {
    Launch launch{.kind = kind, .address = {}, .token = {}};
    launch.size = number(names.size, 1, kMaxRanks);
    launch.rank = number(names.rank, 0, launch.size - 1);
    if (launch.size == 1) return {};
    launch.local_size = number_or_unknown(names.local_size, 1, launch.size);
    launch.local_rank = number_or_unknown(names.local_rank, 0, launch.size - 1);
    if (launch.local_size > 0 && launch.local_rank >= launch.local_size) {
      throw UsageError(fmt::format("the environment variable {}={} is not below {}={}", names.local_rank,
                                   launch.local_rank, names.local_size, launch.local_size));
    }
    return launch;
  }

  // Where the ranks meet.
  [[nodiscard]] Launch with_address(Launch launch) const {
    if (launch.size == 1) return launch;
    launch.port = number("MASTER_PORT", 1, kMaxPort);
    // torchrun itself listens on this port: the ranks take the next one.
    if (text("TORCHELASTIC_USE_AGENT_STORE") == "True") launch.port += launch.port < kMaxPort ? 1 : -1;
    launch.address = text("MASTER_ADDR");
    if (launch.address.empty()) throw UsageError("the environment variable MASTER_ADDR is not set");
    for (const char* name : {"WARPFIT_JOB_TOKEN", "TORCHELASTIC_RUN_ID", "SLURM_JOB_ID"}) {
      if (launch.token.empty()) launch.token = text(name);
      if (launch.token.size() > kMaxHelloText) {
        throw UsageError(
            fmt::format("the environment variable {} is longer than {} bytes", name, kMaxHelloText));
      }
    }
    return launch;
  }

 private:
  const Lookup& lookup_;
};

std::optional<Launch> find_mpi(const Environment& environment, const Names& slurm) {
  for (const Names& names : {kOpenMpi, kPmi}) {
    if (environment.has(names.rank)) return environment.ranks(names, Launch::Kind::kMpi);
  }
  if (environment.has("PMIX_RANK") && environment.has("SLURM_STEP_ID")) {
    return environment.ranks(slurm, Launch::Kind::kMpi);
  }
  return std::nullopt;
}

}  // namespace

Launch find_launch(ParallelMode mode, const Lookup& lookup) {
  const Environment environment(lookup);
  // A step may have fewer tasks than its job.
  const char* slurm_size = environment.has("SLURM_STEP_NUM_TASKS") ? "SLURM_STEP_NUM_TASKS" : "SLURM_NTASKS";
  const Names slurm{"SLURM_PROCID", slurm_size, "SLURM_LOCALID", "SLURM_TASKS_ON_THIS_NODE"};
  if (mode == ParallelMode::kNone) return {};
  if (const auto mpi = find_mpi(environment, slurm)) return *mpi;
  if (mode == ParallelMode::kMpi) {
    throw UsageError(
        "--parallel mpi needs an MPI launcher: start the program with `mpirun -n N warpfit ...`");
  }
  if (environment.has(kTorchrun.rank) || environment.has(kTorchrun.size)) {
    return environment.with_address(environment.ranks(kTorchrun, Launch::Kind::kTcp));
  }
  // In a batch script, which Slurm runs once, the variables of the job are set too, but not those of a step.
  if (environment.has("SLURM_STEP_ID") && environment.has("MASTER_ADDR") && environment.has("MASTER_PORT")) {
    return environment.with_address(environment.ranks(slurm, Launch::Kind::kTcp));
  }
  return {};
}

Launch find_launch(ParallelMode mode) {
  return find_launch(mode, [](const char* name) { return std::getenv(name); });
}

std::unique_ptr<Communicator> make_communicator(
    const Launch& launch, const std::string& version,
    std::function<void(const std::string& message, ExitCode code)> on_ended) {
  if (launch.kind == Launch::Kind::kAlone) return std::make_unique<SingleRank>();
  if (launch.kind == Launch::Kind::kTcp) {
    return make_tcp_rank({.rank = launch.rank,
                          .size = launch.size,
                          .address = launch.address,
                          .port = launch.port,
                          .token = launch.token,
                          .version = version,
                          .on_ended = std::move(on_ended)});
  }
  auto ranks = make_mpi_ranks();
  if (ranks->rank() != launch.rank || ranks->size() != launch.size) {
    throw CommunicationError(
        fmt::format("the MPI launcher started rank {} of {}, but {} finds rank {} of {}: the launcher "
                    "belongs to another MPI"
                    " than the one that warpfit was built with",
                    launch.rank, launch.size, ranks->description(), ranks->rank(), ranks->size()));
  }
  const auto versions = ranks->gather(version);
  for (std::size_t rank = 0; rank < versions.size(); ++rank) {
    if (versions[rank] == versions[0]) continue;
    throw CommunicationError(
        fmt::format("rank {} is warpfit {}, but rank 0 is warpfit {}", rank, versions[rank], versions[0]));
  }
  return ranks;
}

}  // namespace warpfit
