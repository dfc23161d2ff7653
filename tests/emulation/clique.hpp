// The ranks of an NCCL communicator: the threads of the process that called ncclCommInitRank with the same
// id, and the work in which they meet.
//
// A rank's values are copied when its work begins, and the result is written when its stream gets to it after
// all ranks have begun: a sum that begins before its values are complete, or is read before it was waited
// for, gives a wrong result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace warpfit::emulation {

class Clique {
 public:
  enum class State { kAbsent, kConnected, kDestroyed, kAborted };

  /// Connects a rank, whose number of ranks must be that of the others.
  void connect(int rank, int size, int device);
  bool complete() const;
  /// Two ranks with the same device; none if all devices differ.
  std::optional<std::pair<int, int>> duplicate() const;
  void leave(int rank, State how) { members_[static_cast<std::size_t>(rank)].state = how; }
  State state(int rank) const { return members_[static_cast<std::size_t>(rank)].state; }
  int size() const { return static_cast<int>(members_.size()); }

  /// Begins a rank's next sum and returns its number.
  std::int64_t begin_sum(int rank, std::vector<float> values);
  /// Whether all ranks have begun it. If not, fails if one of the missing ranks has left.
  bool can_sum(int rank, std::int64_t number);
  std::vector<float> sum(std::int64_t number);

  /// Begins a rank's next message to or from another rank and returns its number. `size` is the number of
  /// values that the receiver expects.
  std::int64_t begin_send(int from, int to, std::vector<float> values);
  std::int64_t begin_receive(int from, int to, std::size_t size);
  /// Whether both ranks have begun it. If not, fails if the other one has left.
  bool can_transfer(int rank, int from, int to, std::int64_t number);
  std::vector<float> receive(int from, int to, std::int64_t number);

  /// Whether one of the ranks that `rank` waited for has aborted.
  bool lost(int rank) const { return members_[static_cast<std::size_t>(rank)].lost; }

 private:
  struct Member {
    int device = 0;
    State state = State::kAbsent;
    std::int64_t sums = 0;  ///< begun
    bool lost = false;
  };
  struct Sum {
    std::vector<std::vector<float>> values;  ///< by rank
    int begun = 0, read = 0;
  };
  /// Messages from one rank to another.
  struct Channel {
    std::int64_t sent = 0, received = 0;  ///< begun
    std::map<std::int64_t, std::vector<float>> values;
    std::map<std::int64_t, std::size_t> sizes;
  };

  /// `rank` waits for `other`: fails if it has left. Returns whether it has aborted, so that waiting ends.
  bool is_lost(int rank, int other, const char* function);
  void check_sizes(int from, int to, std::int64_t number) const;

  std::vector<Member> members_;
  std::map<std::int64_t, Sum> sums_;  ///< that not all ranks have read
  std::map<std::pair<int, int>, Channel> channels_;
};

/// A communicator: one rank of a clique.
struct NcclRank {
  std::shared_ptr<Clique> clique;
  int rank = 0;
  int device = 0;
  int queued = 0;                                         ///< pieces of work in streams that are incomplete
  std::shared_ptr<int> graphs = std::make_shared<int>();  ///< shared by work in graphs
};

}  // namespace warpfit::emulation
