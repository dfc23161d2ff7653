// A slot of the staging ring: page-locked host memory and a device buffer, filled by copies on a separate
// stream while the compute stream works.
#pragma once

#include "cuda/runtime/memory.hpp"
#include "cuda/runtime/stream.hpp"
#include "host/backend/backend.hpp"

namespace warpfit {

class CudaStagingSlot final : public StagingSlot {
 public:
  /// The streams must outlive the slot.
  CudaStagingSlot(std::size_t bytes, Stream& copy, Stream& compute)
      : host_(bytes), copy_(copy), compute_(compute) {}
  ~CudaStagingSlot() override;

  [[nodiscard]] bool pinned() const { return host_.pinned(); }
  std::span<std::uint8_t> host() override { return host_.bytes(); }
  const std::uint8_t* submit(std::size_t bytes) override;
  void submit_to(std::uint8_t* to, std::size_t first, std::size_t bytes) override;
  void retire() override { used_.record(compute_.get()); }
  void wait_until_reusable() override;

 private:
  HostMemory host_;
  DeviceMemory device_;  // allocated by the first submit()
  Stream& copy_;
  Stream& compute_;
  Event copied_;  // on the copy stream: the host memory was read
  Event used_;    // on the compute stream: the device memory was read
};

}  // namespace warpfit
