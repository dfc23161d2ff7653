// How much a training step has to compute and to move, by the network's shape alone.
#pragma once

#include <array>
#include <cstdint>

#include "host/backend/optimizer.hpp"
#include "host/model/network_spec.hpp"
#include "host/train/step.hpp"

namespace warpfit {

struct Work {
  double flop = 0;   ///< of products; a multiply-add is two
  double bytes = 0;  ///< each operand of each operation once, as if nothing stayed in a cache
};

/// Of each phase of a step with so many rows. `folded`: plain SGD within the weight gradients' products.
std::array<Work, kPhases> step_work(const NetworkSpec& network, std::int64_t rows, const Optimizer& optimizer,
                                    bool folded);

}  // namespace warpfit
