// Muon's update of matrices, without its matrix products. CPU counterpart: host/cpu/muon.
#pragma once

#include <cuda_runtime_api.h>

#include "host/backend/gradient_norm.hpp"
#include "host/backend/muon.hpp"
#include "host/backend/views.hpp"

namespace warpfit::cuda {

// The calls that host/backend/muon_formula.hpp lists.

void muon_begin(const Muon& muon, const MuonMatrix& matrix, const float* gradient, float* momentum, Matrix u,
                cudaStream_t stream);
/// `norm`: scratch memory.
void muon_normalize(const Muon& muon, Matrix u, GradientNorm* norm, cudaStream_t stream);
void muon_round(Matrix x, cudaStream_t stream);
void muon_add(float a, ConstMatrix x, float b, Matrix y, cudaStream_t stream);
/// `rate` is read on the device.
void muon_end(const Muon& muon, const MuonMatrix& matrix, ConstMatrix u, const float* rate, float* parameters,
              cudaStream_t stream);

}  // namespace warpfit::cuda
