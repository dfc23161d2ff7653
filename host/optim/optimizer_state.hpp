// An optimizer with its state, in the backend's memory.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "host/backend/buffer.hpp"
#include "host/backend/optimizer.hpp"

namespace warpfit {

/// Parameters that are updated by the same optimizer.
struct ParameterGroup {
  Optimizer optimizer;
  std::vector<ParameterRange> ranges = {};  ///< empty: all parameters, if there is only one group
  float rate_factor = 1;                    ///< of the learning rate; must be 1 if ranges is empty
};

/// Matrices that Muon updates.
struct MuonGroup {
  Muon muon;
  std::vector<MuonMatrix> matrices;
};

/// Disjoint groups; parameters that are in no group are not updated.
struct ParameterGroups {
  std::vector<ParameterGroup> groups = {};
  std::optional<MuonGroup> muon = std::nullopt;
};

class OptimizerState {
 public:
  /// The state for `size` parameters before the first step. Plain SGD of all parameters needs no memory.
  OptimizerState(Backend& backend, const ParameterGroups& groups, std::size_t size);
  /// Uses one group with all parameters.
  OptimizerState(Backend& backend, const Optimizer& optimizer, std::size_t size)
      : OptimizerState(backend, ParameterGroups{{{optimizer}}}, size) {}

  /// Performs a step with the run's learning rate; must be called within a recorded step. Both arguments have
  /// the size given to the constructor.
  void update(Vector parameters, ConstVector gradients) const;

  /// Whether there is a single group with all parameters.
  [[nodiscard]] bool updates_all_alike() const {
    return !muon_ && groups_.size() == 1 && groups_.front().ranges.size() == 0;
  }
  /// The optimizer of that group, and the buffers that its step uses.
  [[nodiscard]] const Optimizer& optimizer() const { return groups_.front().optimizer; }
  [[nodiscard]] OptimizerViews views(Vector parameters, ConstVector gradients) const {
    return views(groups_.front(), parameters, gradients);
  }

  /// The state, for a checkpoint: each moment has the size given to the constructor, or is empty.
  struct Memory {
    std::array<std::vector<float>, kMaxMoments> moments;
    std::int64_t steps = 0;
    float scalar = 0;                  ///< see OptimizerProgress::scalar
    std::vector<float> other_scalars;  ///< of the groups after the first one
  };
  [[nodiscard]] Memory memory() const;
  /// Errors: ModelError if the state is that of another optimizer or size.
  void restore(const Memory& memory);

 private:
  struct Group {
    Optimizer optimizer;
    Buffer<ParameterRange> ranges;  // empty: all parameters
    Buffer<OptimizerProgress> progress;
    float rate_factor = 1;
  };

  [[nodiscard]] OptimizerViews views(const Group& group, Vector parameters, ConstVector gradients) const;

  Backend& backend_;
  std::vector<Group> groups_;
  std::unique_ptr<MuonOp> muon_;  // null if Muon updates no matrices
  // Shared by all groups, each of which uses the elements of its parameters: a moment that only one group
  // keeps also has room for all parameters, so that there is only one layout.
  std::array<Buffer<float>, kMaxMoments> moments_;
};

}  // namespace warpfit
