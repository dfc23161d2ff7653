// Scratch of the losses.
#pragma once

namespace warpfit::cuda {

/// What a row leaves for the sum over the batch.
struct RowResult {
  float loss;
  int hit;
};

}  // namespace warpfit::cuda
