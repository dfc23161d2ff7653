// A layer of any kind. Each kind has a struct of what the user wrote and these functions of it, found by its
// type; nothing else in the program infers a shape:
//
//   output_shape(layer, in)   the shape of its output; UsageError if it does not take such an input
//   tensors(layer, in)        what it needs, in the order in which the initial values are drawn
//   operation_of(layer, in)   what a device computes for it; nothing if there is nothing to compute
//   cost(layer, in, rows)     of a batch of so many rows
//   text_of(layer)            as in --network
#pragma once

#include <variant>

#include "host/model/layers/activation.hpp"
#include "host/model/layers/batch_norm.hpp"
#include "host/model/layers/dropout.hpp"
#include "host/model/layers/flatten.hpp"
#include "host/model/layers/linear.hpp"
#include "host/model/layers/pool.hpp"

namespace warpfit {

using Layer = std::variant<Linear, Activation, Dropout, Flatten, BatchNorm, Pool>;

}  // namespace warpfit
