#include "host/stream/sample_order.hpp"

namespace warpfit {

SampleOrder SampleOrder::of_pass(std::int64_t size, bool shuffle, TorchGenerator& generator) {
  generator.draw64();
  if (!shuffle) return {};
  TorchGenerator sampler(static_cast<std::uint64_t>(generator.draw64()));
  return SampleOrder(random_permutation(static_cast<std::uint32_t>(size), sampler));
}

}  // namespace warpfit
