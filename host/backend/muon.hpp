// Muon: momentum whose direction is made orthogonal (https://kellerjordan.github.io/posts/muon), as
// torch.optim.Muon has it.
#pragma once

#include <cstdint>

#include "host/backend/views.hpp"

namespace warpfit {

/// With g the gradient of a matrix (rows, cols): m += (1 - momentum) * (g - m); u = g + momentum * (m - g)
/// with Nesterov's momentum, else m; w = (1 - rate * weight_decay) * w - rate * adjustment * o, where o is
/// the matrix nearest to u whose singular values are about 1, found by Newton-Schulz steps in bf16.
struct Muon {
  double momentum = 0.95, weight_decay = 0.1;
  bool nesterov = true;
  float eps = 1e-7F;  ///< least norm that u is divided by
  int steps = 5;      ///< of Newton-Schulz
  /// Whether the adjustment is 0.2 * sqrt(max(rows, cols)), which makes steps as large as AdamW's, or else
  /// sqrt(max(1, rows / cols)).
  bool matches_adamw = false;
};

/// A matrix (rows, cols) within a flat buffer of parameters.
struct MuonMatrix {
  std::int64_t first = 0;  ///< offset in the buffer, in floats
  std::int64_t rows = 0, cols = 0;
};

/// Of the parameters' size, laid out like them.
struct MuonViews {
  Vector parameters;
  ConstVector gradients;
  Vector momentum;  ///< 0 before the first step
};

/// The update of a list of matrices, prepared by a backend.
class MuonOp {
 public:
  MuonOp() = default;
  MuonOp(const MuonOp&) = delete;
  MuonOp& operator=(const MuonOp&) = delete;
  virtual ~MuonOp() = default;

  /// A step with the run's learning rate. Called inside a step, each time with the same views; queues work
  /// and waits for nothing.
  virtual void update(const MuonViews& views) = 0;
};

}  // namespace warpfit
