// Sums over the processes of a run, on a stream of their own: they run concurrently with the backward pass,
// which goes on with earlier layers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cuda/products.hpp"
#include "cuda/runtime/memory.hpp"
#include "cuda/runtime/nccl.hpp"
#include "cuda/runtime/stream.hpp"
#include "host/parallel/communicator.hpp"

namespace warpfit {

class RankSums {
 public:
  /// Sums of values that are written on `main` and on branches of `products`. Collective. All arguments must
  /// outlive it. Errors: as for Nccl.
  RankSums(Communicator& communicator, Stream& main, Products& products)
      : main_(main), products_(products), nccl_(communicator) {}

  /// Queues the sum of `values`, after all work that is queued now. kTree allocates memory at its first call,
  /// and when it needs more; such a call must not be captured.
  void start(Vector values, SumOrder order);
  /// Makes the main stream wait for all sums.
  void join();
  /// For destructors: waits for all sums. Ignores errors.
  void drain() noexcept { stream_.drain(); }
  /// After an error: ends all sums.
  void abandon() noexcept { nccl_.abandon(); }
  /// For destructors: whether an exception is being thrown.
  [[nodiscard]] bool is_unwinding() const noexcept { return nccl_.is_unwinding(); }
  /// Errors: DeviceError if the connection to another rank has failed.
  void check_connection() const { nccl_.check_connection(); }
  /// "NCCL 2.28.9"
  [[nodiscard]] std::string library() const { return nccl_.version(); }

 private:
  void add_in_tree(Vector values);
  [[nodiscard]] Vector received(std::size_t size);

  Stream& main_;
  Products& products_;
  Stream stream_{"sums over ranks"};
  Event begin_, end_;
  bool open_ = false;
  Nccl nccl_;
  /// What another rank has sent: the last block is used. Recorded steps use the earlier, smaller ones.
  struct Block {
    DeviceMemory memory;
    std::size_t size;
  };
  std::vector<Block> blocks_;
};

}  // namespace warpfit
