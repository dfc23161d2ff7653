// Muon: momentum SGD whose update matrices are orthogonalized (https://kellerjordan.github.io/posts/muon), as
// torch.optim.Muon implements it.
#pragma once

#include <cstdint>

#include "host/backend/views.hpp"

namespace warpfit {

/// With g the gradient of a matrix (rows, cols): m += (1 - momentum) * (g - m); u = g + momentum * (m - g)
/// with Nesterov momentum, else m; w = (1 - rate * weight_decay) * w - rate * adjustment * o, where o is the
/// matrix nearest to u whose singular values are about 1, computed by Newton-Schulz iterations in bf16.
struct Muon {
  double momentum = 0.95, weight_decay = 0.1;
  bool nesterov = true;
  float eps = 1e-7F;  ///< lower bound of the norm that u is divided by
  int steps = 5;      ///< Newton-Schulz iterations
  /// If true, the adjustment is 0.2 * sqrt(max(rows, cols)), which makes steps as large as AdamW's; otherwise
  /// it is sqrt(max(1, rows / cols)).
  bool matches_adamw = false;
};

/// A matrix (rows, cols) within a flat buffer of parameters.
struct MuonMatrix {
  std::int64_t first = 0;  ///< offset in the buffer, in floats
  std::int64_t rows = 0, cols = 0;
  float rate_factor = 1;  ///< multiplies the run's learning rate
};

/// Buffers of the parameters' size and layout.
struct MuonViews {
  Vector parameters;
  ConstVector gradients;
  Vector momentum;  ///< 0 before the first step
};

/// The update of a list of matrices that a backend has prepared.
class MuonOp {
 public:
  MuonOp() = default;
  MuonOp(const MuonOp&) = delete;
  MuonOp& operator=(const MuonOp&) = delete;
  virtual ~MuonOp() = default;

  /// Performs a step with the run's learning rate. Called within a step, each time with the same views;
  /// queues work and waits for nothing.
  virtual void update(const MuonViews& views) = 0;
};

}  // namespace warpfit
