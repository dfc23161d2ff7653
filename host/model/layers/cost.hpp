// The computation and memory traffic of a layer, derived from its shapes alone.
#pragma once

namespace warpfit {

struct Work {
  double flop = 0;   ///< in matrix products; a multiply-add counts as two
  double bytes = 0;  ///< each operand of each operation counts once, as if nothing stayed in a cache

  Work& operator+=(const Work& more) {
    flop += more.flop;
    bytes += more.bytes;
    return *this;
  }
};

/// The cost of a training step.
struct Cost {
  Work forward;
  Work input_gradient;
  Work parameter_gradients;
};

}  // namespace warpfit
