#include "cuda/branches.hpp"

namespace warpfit {

cudaStream_t Branches::fork() {
  Branch& branch = branches_[next_];
  next_ = (next_ + 1) % branches_.size();
  branch.begin.record(main_.get());
  branch.stream.wait(branch.begin);
  branch.open = true;
  return branch.stream.get();
}

void Branches::join() {
  for (Branch& branch : branches_) {
    if (!branch.open) continue;
    branch.open = false;
    branch.end.record(branch.stream.get());
    main_.wait(branch.end);
  }
  next_ = 0;  // every recording of a step uses the same branches
}

void Branches::let_wait(Stream& other) {
  for (Branch& branch : branches_) {
    if (!branch.open) continue;
    branch.end.record(branch.stream.get());
    other.wait(branch.end);
  }
}

void Branches::drain() noexcept {
  for (Branch& branch : branches_) branch.stream.drain();
}

}  // namespace warpfit
