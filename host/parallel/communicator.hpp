// Communication between the processes that train a network together. Each process is a rank, from 0 to
// size() - 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "host/base/error.hpp"

namespace warpfit {

/// The order in which the ranks' values are added. Both give all ranks the same bits, and the same bits in
/// every run with the same number of ranks.
enum class SumOrder {
  kFastest,  ///< the order that is fastest
  kTree  ///< a binary tree: neighboring ranks first, then neighboring pairs; the rest follows if size() is
         ///< not a power of two
};

/// The functions are collective: all ranks call them in the same order, with arguments of the same size
/// unless documented otherwise. They may be called from different threads, but only from one at a time.
/// Errors: CommunicationError if another rank cannot be reached.
class Communicator {
 public:
  Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  virtual ~Communicator() = default;

  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;
  /// A description for people: "MPI (Open MPI 4.1.4)".
  [[nodiscard]] virtual std::string description() const = 0;

  /// Replaces `values` on each rank with their sum over all ranks.
  virtual void sum(std::span<float> values, SumOrder order) = 0;
  /// Copies `data` from rank `root` to all ranks.
  virtual void broadcast(std::span<std::byte> data, int root) = 0;
  /// Returns what each rank passed, by rank. For short messages; their sizes may differ.
  [[nodiscard]] virtual std::vector<std::string> gather(const std::string& message) = 0;
  /// Ends the other ranks with this exit code as soon as possible, and does not wait for them. Not
  /// collective; may be called from any thread at any time.
  virtual void end_others(ExitCode code) noexcept = 0;

  [[nodiscard]] bool is_alone() const { return size() == 1; }
  /// Whether the gradients are summed over the ranks: always if there are several of them.
  [[nodiscard]] virtual bool sums_gradients() const { return !is_alone(); }
};

/// The only rank. With `sums_gradients`, the gradients pass through the sum over the ranks all the same.
class SingleRank final : public Communicator {
 public:
  explicit SingleRank(bool sums_gradients = false) : sums_gradients_(sums_gradients) {}

  [[nodiscard]] int rank() const override { return 0; }
  [[nodiscard]] int size() const override { return 1; }
  [[nodiscard]] std::string description() const override { return "one process"; }
  void sum(std::span<float>, SumOrder) override {}
  void broadcast(std::span<std::byte>, int) override {}
  [[nodiscard]] std::vector<std::string> gather(const std::string& message) override { return {message}; }
  void end_others(ExitCode) noexcept override {}
  [[nodiscard]] bool sums_gradients() const override { return sums_gradients_; }

 private:
  bool sums_gradients_;
};

}  // namespace warpfit
