#include "cuda/runtime/dnn_engines.hpp"

#include <algorithm>

namespace warpfit {
namespace {

constexpr std::int64_t kMaxWorkspaceBytes = std::int64_t{1} << 30;

/// Whether results by an engine with the note have the precision and, unless `fast`, are reproducible.
bool allows(Precision precision, bool fast, cudnnBackendNumericalNote_t note) {
  switch (note) {
    case CUDNN_NUMERICAL_NOTE_TENSOR_CORE:  // for operands of 32 bits, they multiply in TF32
      return precision != Precision::kFp32;
    case CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS:
      return precision == Precision::kBf16;
    case CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION:
      return false;
    // The rounding errors of these are larger than those of the sum of products.
    case CUDNN_NUMERICAL_NOTE_FFT:
    case CUDNN_NUMERICAL_NOTE_WINOGRAD:
    case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4:
    case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6:
    case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13:
    case CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC:
      return fast;
    case CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP:
      return true;
    default:  // a note that later versions of cuDNN may add
      return false;
  }
}

/// The configurations of engines for the graph, the one that is expected to be the fastest first.
std::vector<DnnDescriptor> configurations(const DnnHandle& dnn, const DnnDescriptor& graph,
                                          cudnnBackendHeurMode_t mode) {
  DnnDescriptor heuristics(dnn, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, "a list of cuDNN's engines");
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
  const auto status = heuristics.try_finalize();
  if (CUDNN_STATUS_CATEGORY(status) == CUDNN_STATUS_NOT_SUPPORTED) return {};
  heuristics.check(status);
  return heuristics.descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR,
                                "the configuration of a cuDNN engine");
}

bool is_allowed(const DnnDescriptor& configuration, Precision precision, bool fast) {
  for (const auto& engine : configuration.descriptors(CUDNN_ATTR_ENGINECFG_ENGINE,
                                                      CUDNN_BACKEND_ENGINE_DESCRIPTOR, "a cuDNN engine")) {
    const auto notes = engine.notes(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE);
    return std::all_of(notes.begin(), notes.end(), [&](auto note) { return allows(precision, fast, note); });
  }
  return false;
}

}  // namespace

std::optional<DnnPlan> choose_plan(const DnnHandle& dnn, const DnnDescriptor& graph, Precision precision) {
  for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    for (auto& configuration : configurations(dnn, graph, mode)) {
      if (!is_allowed(configuration, precision, dnn.is_fast())) continue;
      DnnDescriptor plan(dnn, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, "a cuDNN plan");
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, dnn.get());
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
      const auto status = plan.try_finalize();
      if (status == CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED ||
          status == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED) {
        plan.check(status);
      }
      if (status != CUDNN_STATUS_SUCCESS) continue;  // not for these shapes, or not on this GPU
      const auto workspace = plan.integer(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
      if (workspace > kMaxWorkspaceBytes) continue;
      return DnnPlan{std::move(configuration), std::move(plan), static_cast<std::size_t>(workspace)};
    }
  }
  return {};
}

}  // namespace warpfit
