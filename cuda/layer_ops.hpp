// The operations that Backend::prepare creates for a GPU: each call launches kernels on the compute stream.
#pragma once

#include <memory>
#include <optional>

#include "cuda/position.hpp"
#include "cuda/products.hpp"
#include "cuda/runtime/dnn_graph.hpp"
#include "cuda/runtime/stream.hpp"
#include "host/backend/backend.hpp"

namespace warpfit {

/// What operations share; all of it must outlive them.
struct OpContext {
  Backend& backend;
  const Stream& stream;
  Products& products;
  const Position* position;  ///< in device memory
  unsigned* arrived;         ///< scratch memory of the losses; 0 between launches
  Precision precision;
  bool fast;                      ///< see DnnHandle
  std::optional<DnnHandle>& dnn;  ///< cuDNN, once it is needed
};

[[nodiscard]] std::unique_ptr<LayerOp> make_layer_op(const OpContext& context, const Operation& operation,
                                                     std::int64_t rows);
[[nodiscard]] std::unique_ptr<LossOp> make_loss_op(const OpContext& context, const Loss& loss,
                                                   std::int64_t rows);

}  // namespace warpfit
