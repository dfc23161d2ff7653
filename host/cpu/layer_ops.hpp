// The operations that Backend::prepare creates for the CPU: each call is a pass over the batch.
#pragma once

#include <memory>

#include "host/backend/backend.hpp"
#include "host/cpu/products.hpp"
#include "host/cpu/thread_pool.hpp"

namespace warpfit::cpu {

/// What operations share; all references must outlive them.
struct OpContext {
  Backend& backend;
  ThreadPool& pool;
  Products& products;
  const BatchRun& run;  ///< of the current step: first, rate and step are those of its batch
};

[[nodiscard]] std::unique_ptr<LayerOp> make_layer_op(const OpContext& context, const Operation& operation,
                                                     std::int64_t rows);
[[nodiscard]] std::unique_ptr<LossOp> make_loss_op(const OpContext& context, const Loss& loss,
                                                   std::int64_t rows);

}  // namespace warpfit::cpu
