// Wrappers around the operations that a CheckedBackend prepares: each call is checked.
#pragma once

#include <memory>
#include <span>

#include "tests/support/checked_backend.hpp"

namespace warpfit::test {

// The backend must outlive the wrappers.

[[nodiscard]] std::unique_ptr<LayerOp> checked(CheckedBackend& backend, std::unique_ptr<LayerOp> op,
                                               const Operation& operation, std::int64_t rows);
[[nodiscard]] std::unique_ptr<LossOp> checked(CheckedBackend& backend, std::unique_ptr<LossOp> op,
                                              std::int64_t classes, std::int64_t rows);
[[nodiscard]] std::unique_ptr<MuonOp> checked(CheckedBackend& backend, std::unique_ptr<MuonOp> op,
                                              std::span<const MuonMatrix> matrices);
[[nodiscard]] std::unique_ptr<StagingSlot> checked(CheckedBackend& backend,
                                                   std::unique_ptr<StagingSlot> slot);

}  // namespace warpfit::test
