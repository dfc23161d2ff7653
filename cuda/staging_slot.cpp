#include "cuda/staging_slot.hpp"

#include "cuda/runtime/copy.hpp"

namespace warpfit {

// If the trainer stopped because of an error, copies and runs that read this memory may still be queued.
CudaStagingSlot::~CudaStagingSlot() {
  copied_.drain();
  used_.drain();
}

const std::uint8_t* CudaStagingSlot::submit(std::size_t bytes) {
  if (device_.empty()) device_ = DeviceMemory(host_.bytes().size());
  submit_to(device_.data(), 0, bytes);
  return device_.data();
}

// The reader has waited for the last use of both memories (wait_until_reusable), so the copy may begin
// immediately.
void CudaStagingSlot::submit_to(std::uint8_t* to, std::size_t first, std::size_t bytes) {
  copy_to_device(to, host_.bytes().data() + first, bytes, copy_.get());
  copied_.record(copy_.get());
  compute_.wait(copied_);
}

void CudaStagingSlot::wait_until_reusable() {
  copied_.synchronize();
  used_.synchronize();
}

}  // namespace warpfit
