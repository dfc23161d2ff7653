// Muon's update on a GPU: kernels and cuBLAS on the compute stream.
#pragma once

#include <memory>
#include <span>

#include "cuda/layer_ops.hpp"

namespace warpfit {

[[nodiscard]] std::unique_ptr<MuonOp> make_muon_op(const OpContext& context, const Muon& muon,
                                                   std::span<const MuonMatrix> matrices);

}  // namespace warpfit
