// How this process was started: alone, or as one of several by a launcher that sets environment variables.
// Looked for in this order:
//
//   Open MPI           OMPI_COMM_WORLD_RANK, _SIZE, _LOCAL_RANK, _LOCAL_SIZE                       MPI
//   MPICH, Intel MPI   PMI_RANK, PMI_SIZE, MPI_LOCALRANKID, MPI_LOCALNRANKS                        MPI
//   srun --mpi=pmix    PMIX_RANK with Slurm's variables                                            MPI
//   torchrun           RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT    TCP
//   srun               SLURM_STEP_ID, SLURM_PROCID, SLURM_NTASKS, SLURM_LOCALID;                   TCP
//                      only if MASTER_ADDR and MASTER_PORT are set
//
// WARPFIT_JOB_TOKEN, any text that is the same for all ranks of a job, tells jobs on the same machine apart;
// without it, TORCHELASTIC_RUN_ID or SLURM_JOB_ID.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "host/parallel/communicator.hpp"

namespace warpfit {

/// The option --parallel.
enum class ParallelMode {
  kAuto,  ///< as launched
  kNone,  ///< alone, whatever the environment says
  kMpi,   ///< by an MPI launcher only
  kNccl   ///< as launched; the gradients are summed with NCCL, even those of a single rank
};

struct Launch {
  enum class Kind { kAlone, kMpi, kTcp };
  Kind kind = Kind::kAlone;
  int rank = 0;
  int size = 1;
  int local_rank = 0;   ///< among the ranks on this machine; -1 if the launcher does not tell
  int local_size = 1;   ///< ranks on this machine; -1 if the launcher does not tell
  std::string address;  ///< of rank 0; for kTcp, as are the following
  int port = 0;
  std::string token;
};

/// The value of an environment variable, or null.
using Lookup = std::function<const char*(const char*)>;

/// A run of one rank is alone. Errors: UsageError if variables are missing or invalid, and for kMpi without
/// an MPI launcher.
Launch find_launch(ParallelMode mode, const Lookup& lookup);
/// With the environment of this process.
Launch find_launch(ParallelMode mode);

/// Connects the ranks. `version` is the program's; all ranks must have the same. For `on_ended`, see
/// TcpOptions; MPI's launcher ends the processes itself.
/// Errors: CommunicationError if ranks are missing, of another version or another job, or MPI fails.
std::unique_ptr<Communicator> make_communicator(
    const Launch& launch, const std::string& version,
    std::function<void(const std::string& message, ExitCode code)> on_ended = {});

}  // namespace warpfit
