#include "host/cli/parallel_options.hpp"

#include <cstdint>
#include <string_view>

#include "host/cli/option_rows.hpp"

namespace warpfit {
namespace {

constexpr std::string_view kProcesses = "Processes";

}  // namespace

// Not saved in a run's configuration: a run may be resumed with another number of processes.
Option parallel_option(ParallelMode& mode) {
  auto option = choice<ParallelMode>(
      {kProcesses, "--parallel", "HOW",
       "train together with the other processes that mpirun, srun or torchrun has started; mpi: only if an "
       "MPI launcher has started them; nccl: on GPUs only, with NCCL even in one process; none: alone"},
      {{"auto", ParallelMode::kAuto},
       {"none", ParallelMode::kNone},
       {"mpi", ParallelMode::kMpi},
       {"nccl", ParallelMode::kNccl}},
      mode);
  option.in_config = false;
  return option;
}

Options parallel_options(TrainCommand& command) {
  Options rows{parallel_option(command.run.parallel)};
  rows.push_back(
      number<std::int64_t>({kProcesses, "--batch-size-per-rank", "N",
                            "samples of each batch for each process; takes precedence over --batch-size"},
                           1, kMaxCount, command.batch_size_per_rank, "--batch-size for all together"));
  rows.back().in_config = false;
  rows.push_back(choice<bool>(
      {kProcesses, "--reduce", "HOW",
       "order in which gradients are summed; ordered: in eight parts of each batch, with the same results "
       "for 1, 2, 4 and 8 processes, but slower; --threads is then 1 by default and changes the results"},
      {{"fastest", false}, {"ordered", true}}, command.run.training.ordered_sums));
  rows.push_back(on_off({kProcesses, "--sync-batchnorm", "",
                         "batch normalization with the statistics of the samples of all processes, as "
                         "PyTorch's SyncBatchNorm, instead of those of each process"},
                        command.run.training.sync_batch_norm));
  return rows;
}

}  // namespace warpfit
