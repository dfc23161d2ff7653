// The choice among cuDNN's engines, its kernels for an operation.
#pragma once

#include <optional>

#include "cuda/runtime/dnn_descriptor.hpp"

namespace warpfit {

/// An operation that is ready to run.
struct DnnPlan {
  DnnDescriptor configuration;  ///< of the engine
  DnnDescriptor plan;
  std::size_t workspace_bytes = 0;
};

/// The first plan for the operation graph, in the order of cuDNN's heuristics, that is deterministic unless
/// the handle is fast, keeps to the precision and has a workspace of at most 1 GiB; empty if there is none.
std::optional<DnnPlan> choose_plan(const DnnHandle& dnn, const DnnDescriptor& graph, Precision precision);

}  // namespace warpfit
