#include "cuda/runtime/barrier_timeout.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <vector>

namespace warpfit {
namespace {

struct Notes {
  std::mutex mutex;
  std::vector<unsigned long long*> all;
};
Notes& notes() {
  static Notes notes;
  return notes;
}

}  // namespace

BarrierTimeoutNote::BarrierTimeoutNote() {
  if (data() == nullptr) return;
  *data() = 0;
  const std::lock_guard lock(notes().mutex);
  notes().all.push_back(data());
}

BarrierTimeoutNote::~BarrierTimeoutNote() {
  const std::lock_guard lock(notes().mutex);
  std::erase(notes().all, data());
}

unsigned long long* BarrierTimeoutNote::data() const {
  return memory_.pinned() ? reinterpret_cast<unsigned long long*>(memory_.bytes().data()) : nullptr;
}

std::string barrier_timeout_text() {
  const std::lock_guard lock(notes().mutex);
  for (auto* note : notes().all) {
    const auto value = std::atomic_ref(*note).load();
    if (value == 0) continue;
    return fmt::format(
        "block {} of the fused kernel waited more than {} seconds for the others at barrier {} of the "
        "launch, and "
        "ended it; --engine layers does not use this kernel",
        value & 0xFFFF'FFFFU, kBarrierTimeoutSeconds, value >> 32U & 0x7FFF'FFFFU);
  }
  return "";
}

}  // namespace warpfit
