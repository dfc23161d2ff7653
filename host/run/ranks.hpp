// The processes of a training run. Rank 0 prints, and writes all files.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "host/backend/backend_options.hpp"
#include "host/parallel/launch.hpp"
#include "host/parallel/watch.hpp"

namespace warpfit {

class Ranks {
 public:
  /// Connects this process to the others that were launched with it. Errors: UsageError if the environment of
  /// the launcher is invalid; CommunicationError.
  explicit Ranks(ParallelMode mode);

  [[nodiscard]] Communicator& communicator() { return *communicator_; }
  [[nodiscard]] bool is_first() const { return launch_.rank == 0; }
  [[nodiscard]] bool is_alone() const { return launch_.size == 1; }

  /// Errors on all ranks: UsageError if one of them has another `value`, a text of lines. `what`: "data".
  /// Collective.
  void check_same(std::string_view what, const std::string& value);
  /// Completes the options of the device: the communicator, this rank's GPU, and its share of the processor's
  /// cores, or one core for ordered sums, whose bits depend on it. Errors: UsageError if only some of the
  /// ranks have a GPU, or for kNccl if this one has none. Collective.
  void choose_device(BackendOptions& device, ParallelMode mode, bool ordered_sums);

  /// Returns when all ranks have called it. Collective.
  void wait_for_all() { static_cast<void>(communicator_->gather("")); }

  /// Ends all processes with the exit code of the error. If it is the same on all ranks, rank 0 prints it.
  [[noreturn]] void fail(std::exception_ptr error, std::string_view memory_advice);
  /// Waits until all ranks have come to the end. Collective.
  void finish();

 private:
  Launch launch_;
  std::unique_ptr<Communicator> communicator_;
  std::optional<RankWatch> watch_;
};

/// Calls `run` with the ranks of the launcher, or alone. Ranks other than the first one print errors only. An
/// error on one rank ends all of them. Errors: those of `run`, if this process is alone; Interrupted, with a
/// message on the first rank only. `memory_advice`: as for failure_of().
void run_on_ranks(ParallelMode mode, std::string_view memory_advice, const std::function<void(Ranks&)>& run);

}  // namespace warpfit
