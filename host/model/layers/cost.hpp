// How much a layer has to compute and to move, by its shapes alone.
#pragma once

namespace warpfit {

struct Work {
  double flop = 0;   ///< of matrix products; a multiply-add is two
  double bytes = 0;  ///< each operand of each operation once, as if nothing stayed in a cache

  Work& operator+=(const Work& more) {
    flop += more.flop;
    bytes += more.bytes;
    return *this;
  }
};

/// Of a training step.
struct Cost {
  Work forward;
  Work input_gradient;
  Work parameter_gradients;
};

}  // namespace warpfit
