// Muon's update of matrices. CUDA counterpart: cuda/ops/muon.
#pragma once

#include <memory>
#include <span>

#include "host/backend/backend.hpp"
#include "host/cpu/products.hpp"

namespace warpfit::cpu {

/// See Backend::prepare. The pool, the products and `run`, whose rate is that of the step's batch, must
/// outlive it.
[[nodiscard]] std::unique_ptr<MuonOp> make_muon_op(ThreadPool& pool, Products& products, const BatchRun& run,
                                                   const Muon& muon, std::span<const MuonMatrix> matrices);

}  // namespace warpfit::cpu
