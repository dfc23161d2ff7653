#include "cuda/rank_sums.hpp"

#include "cuda/ops/gradient_sum.hpp"

namespace warpfit {

void RankSums::start(Vector values, SumOrder order) {
  begin_.record(main_.get());
  stream_.wait(begin_);
  products_.let_wait(stream_);
  open_ = true;
  if (order == SumOrder::kTree) {
    add_in_tree(values);
  } else {
    nccl_.sum(values, stream_.get());
  }
}

void RankSums::join() {
  if (!open_) return;
  open_ = false;
  end_.record(stream_.get());
  main_.wait(end_);
}

// Recursive doubling: after each round, groups of twice as many neighboring ranks have the same sum. Addition
// is commutative, so both partners round in the same way, and the result is that of the tree.
void RankSums::add_in_tree(Vector values) {
  const auto others = received(values.size());
  for (int distance = 1; distance < nccl_.size(); distance *= 2) {
    nccl_.exchange(nccl_.rank() ^ distance, values, others, stream_.get());
    cuda::add_scaled(1, others, values, stream_.get());
  }
}

Vector RankSums::received(std::size_t size) {
  if (blocks_.empty() || blocks_.back().size < size)
    blocks_.push_back({DeviceMemory(size * sizeof(float)), size});
  return {reinterpret_cast<float*>(blocks_.back().memory.data()), size};
}

}  // namespace warpfit
