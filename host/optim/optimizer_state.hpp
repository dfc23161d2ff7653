// An optimizer and what it remembers between steps, in the backend's memory.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "host/backend/buffer.hpp"
#include "host/backend/optimizer.hpp"

namespace warpfit {

/// Parameters that are updated alike.
struct ParameterGroup {
  Optimizer optimizer;
  std::vector<ParameterRange> ranges = {};  ///< empty: all parameters, if there is one group
};

/// Matrices that Muon updates.
struct MuonGroup {
  Muon muon;
  std::vector<MuonMatrix> matrices;
};

/// Disjoint groups; parameters in none stay as they are.
struct ParameterGroups {
  std::vector<ParameterGroup> groups = {};
  std::optional<MuonGroup> muon = std::nullopt;
};

class OptimizerState {
 public:
  /// For `size` parameters, before the first step. Plain SGD of all takes no memory.
  OptimizerState(Backend& backend, const ParameterGroups& groups, std::size_t size);
  /// With one group of all parameters.
  OptimizerState(Backend& backend, const Optimizer& optimizer, std::size_t size)
      : OptimizerState(backend, ParameterGroups{{{optimizer}}}, size) {}

  /// Takes a step: inside a recorded step, with the run's learning rate. Both have the size of the
  /// constructor's.
  void update(Vector parameters, ConstVector gradients) const;

  /// Whether there is one group, of all parameters.
  [[nodiscard]] bool updates_all_alike() const {
    return !muon_ && groups_.size() == 1 && groups_.front().ranges.size() == 0;
  }
  /// That group's, and what its step reads and writes.
  [[nodiscard]] const Optimizer& optimizer() const { return groups_.front().optimizer; }
  [[nodiscard]] OptimizerViews views(Vector parameters, ConstVector gradients) const {
    return views(groups_.front(), parameters, gradients);
  }

  /// What it remembers, for a checkpoint: moments of the constructor's size, or empty.
  struct Memory {
    std::array<std::vector<float>, kMaxMoments> moments;
    std::int64_t steps = 0;
    float scalar = 0;  ///< as OptimizerProgress::scalar
  };
  [[nodiscard]] Memory memory() const;
  /// Errors: ModelError where it is of another optimizer or size.
  void restore(const Memory& memory);

 private:
  struct Group {
    Optimizer optimizer;
    Buffer<ParameterRange> ranges;  // empty for all
    Buffer<OptimizerProgress> progress;
  };

  [[nodiscard]] OptimizerViews views(const Group& group, Vector parameters, ConstVector gradients) const;

  Backend& backend_;
  std::vector<Group> groups_;
  std::unique_ptr<MuonOp> muon_;  // of the matrices that Muon updates, if any
  // Of all groups, each using those of its parameters: a moment that only one group keeps has room for all
  // parameters too, for the sake of one layout.
  std::array<Buffer<float>, kMaxMoments> moments_;
};

}  // namespace warpfit
