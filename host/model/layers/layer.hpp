// A layer of any kind. Each kind has a struct with what the user wrote and overloads of these functions; no
// other part of the program infers a shape:
//
//   output_shape(layer, in)   the shape of its output; UsageError if the layer does not accept the input
//   tensors(layer, in)        the tensors that it needs, in the order in which initial values are drawn
//   operation_of(layer, in)   the operation that a device computes; nothing if there is nothing to compute
//   cost(layer, in, rows)     the cost for a batch of `rows` rows
//   text_of(layer)            the layer as written in --network
#pragma once

#include <variant>

#include "host/model/layers/activation.hpp"
#include "host/model/layers/batch_norm.hpp"
#include "host/model/layers/conv.hpp"
#include "host/model/layers/dropout.hpp"
#include "host/model/layers/flatten.hpp"
#include "host/model/layers/linear.hpp"
#include "host/model/layers/pool.hpp"
#include "host/model/layers/residual.hpp"

namespace warpfit {

using Layer =
    std::variant<Linear, Activation, Dropout, Flatten, BatchNorm, Pool, Conv, ResidualBegin, ResidualEnd>;

}  // namespace warpfit
